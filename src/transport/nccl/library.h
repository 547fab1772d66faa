// NCCL as a table of functions, loaded at run time: the engine starts where there is no libnccl.
#pragma once

#include <nccl.h>

#include <memory>
#include <string>

namespace busbar::nccl {

/// Whether the header at build time is at least this version; the library must be as well.
#define BUSBAR_NCCL_HEADER_HAS(major, minor) (NCCL_VERSION_CODE >= NCCL_VERSION(major, minor, 0))

/// The functions in use. Those after the blank line are null where header or library are older.
struct Functions {
  decltype(&::ncclGetVersion) get_version = nullptr;
  decltype(&::ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&::ncclGetErrorString) get_error_string = nullptr;
  decltype(&::ncclGetLastError) get_last_error = nullptr;
  decltype(&::ncclCommInitRankConfig) comm_init = nullptr;
  decltype(&::ncclCommDestroy) comm_destroy = nullptr;
  decltype(&::ncclCommAbort) comm_abort = nullptr;
  decltype(&::ncclCommGetAsyncError) comm_async_error = nullptr;
  decltype(&::ncclAllReduce) all_reduce = nullptr;
  decltype(&::ncclReduce) reduce = nullptr;
  decltype(&::ncclBroadcast) broadcast = nullptr;
  decltype(&::ncclAllGather) all_gather = nullptr;
  decltype(&::ncclReduceScatter) reduce_scatter = nullptr;
  decltype(&::ncclSend) send = nullptr;
  decltype(&::ncclRecv) recv = nullptr;
  decltype(&::ncclGroupStart) group_start = nullptr;
  decltype(&::ncclGroupEnd) group_end = nullptr;
  decltype(&::ncclRedOpCreatePreMulSum) create_premulsum = nullptr;
  decltype(&::ncclRedOpDestroy) destroy_redop = nullptr;

  // The types are written out: an older header does not declare these.
  ncclResult_t (*mem_alloc)(void** memory, size_t size) = nullptr;                                     // 2.19
  ncclResult_t (*mem_free)(void* memory) = nullptr;                                                    // 2.19
  ncclResult_t (*comm_register)(ncclComm_t comm, void* buffer, size_t size, void** handle) = nullptr;  // 2.19
  ncclResult_t (*comm_deregister)(ncclComm_t comm, void* handle) = nullptr;                            // 2.19
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  decltype(&::ncclCommWindowRegister) window_register = nullptr;
  decltype(&::ncclCommWindowDeregister) window_deregister = nullptr;
#endif
#if BUSBAR_NCCL_HEADER_HAS(2, 28)
  decltype(&::ncclAlltoAll) all_to_all = nullptr;
  decltype(&::ncclGather) gather = nullptr;
  decltype(&::ncclScatter) scatter = nullptr;
#endif
};

/// NCCL's version as its parts.
struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  /// From NCCL_VERSION_CODE, whose form changed with 2.9.
  static Version of(int code);
  std::string text() const;
};

class Library {
 public:
  /// Loads the file that BUSBAR_NCCL_LIBRARY names; else libnccl.so.2; else the one that the build found.
  /// @throws UsageError in one sentence where none can be loaded, or it is too old or of another major version.
  static std::unique_ptr<Library> load();
  /// Loads `path`. @throws as `load`.
  explicit Library(const std::string& path);
  ~Library() = default;  // stays loaded: NCCL's threads may outlive what we know of
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  Library(Library&&) = delete;
  Library& operator=(Library&&) = delete;

  const Functions& call() const { return functions_; }
  const std::string& path() const { return path_; }
  Version version() const { return version_; }
  /// The newest version that both the header at build time and this library are, as NCCL_VERSION_CODE.
  int common_code() const;
  bool fake() const { return fake_; }
  /// Whether both the header at build time and this library are at least this version.
  bool has(int major, int minor) const;

 private:
  /// A symbol that is there does not make the function part of that version.
  void forget_newer_functions();

  Functions functions_;
  std::string path_;
  Version version_;
  int code_ = 0;
  bool fake_ = false;
};

}  // namespace busbar::nccl
