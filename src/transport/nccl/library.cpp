#include "transport/nccl/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

namespace busbar::nccl {
namespace {

constexpr int oldest_code = NCCL_VERSION(2, 18, 0);
constexpr const char* how_to_name =
    "accepted is NCCL 2.18 or newer on LD_LIBRARY_PATH, or its file in "
    "BUSBAR_NCCL_LIBRARY";

/// dlopen's own words for the last failure.
std::string why_not() {
  const char* const words = dlerror();
  return words == nullptr ? "no reason given" : words;
}

class Symbols {
 public:
  Symbols(void* handle, const std::string& path) : handle_(handle), path_(path) {}

  template <class Function>
  void want(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
  }

  template <class Function>
  void require(Function& function, const char* name) const {
    want(function, name);
    if (function != nullptr) return;
    throw UsageError(fmt::format("'{}' is no NCCL that can be used: it lacks {}; {}", path_, name, how_to_name));
  }

 private:
  void* handle_;
  const std::string& path_;
};

Functions functions_of(const Symbols& symbols) {
  Functions f;
  symbols.require(f.get_version, "ncclGetVersion");
  symbols.require(f.get_unique_id, "ncclGetUniqueId");
  symbols.require(f.get_error_string, "ncclGetErrorString");
  symbols.require(f.get_last_error, "ncclGetLastError");
  symbols.require(f.comm_init, "ncclCommInitRankConfig");
  symbols.require(f.comm_destroy, "ncclCommDestroy");
  symbols.require(f.comm_abort, "ncclCommAbort");
  symbols.require(f.comm_async_error, "ncclCommGetAsyncError");
  symbols.require(f.all_reduce, "ncclAllReduce");
  symbols.require(f.reduce, "ncclReduce");
  symbols.require(f.broadcast, "ncclBroadcast");
  symbols.require(f.all_gather, "ncclAllGather");
  symbols.require(f.reduce_scatter, "ncclReduceScatter");
  symbols.require(f.send, "ncclSend");
  symbols.require(f.recv, "ncclRecv");
  symbols.require(f.group_start, "ncclGroupStart");
  symbols.require(f.group_end, "ncclGroupEnd");
  symbols.require(f.create_premulsum, "ncclRedOpCreatePreMulSum");
  symbols.require(f.destroy_redop, "ncclRedOpDestroy");
  symbols.want(f.mem_alloc, "ncclMemAlloc");
  symbols.want(f.mem_free, "ncclMemFree");
  symbols.want(f.comm_register, "ncclCommRegister");
  symbols.want(f.comm_deregister, "ncclCommDeregister");
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  symbols.want(f.window_register, "ncclCommWindowRegister");
  symbols.want(f.window_deregister, "ncclCommWindowDeregister");
#endif
#if BUSBAR_NCCL_HEADER_HAS(2, 28)
  symbols.want(f.all_to_all, "ncclAlltoAll");
  symbols.want(f.gather, "ncclGather");
  symbols.want(f.scatter, "ncclScatter");
#endif
  return f;
}

}  // namespace

Version Version::of(int code) {
  if (code < 10000) return {code / 1000, code / 100 % 10, code % 100};
  return {code / 10000, code / 100 % 100, code % 100};
}

std::string Version::text() const { return fmt::format("{}.{}.{}", major, minor, patch); }

std::unique_ptr<Library> Library::load() {
  if (const char* const named = std::getenv("BUSBAR_NCCL_LIBRARY")) return std::make_unique<Library>(named);
  // The second one is empty where the build found the header alone.
  for (const std::string path : {"libnccl.so.2", BUSBAR_NCCL_BUILD_LIBRARY}) {
    if (!path.empty() && dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return std::make_unique<Library>(path);
  }
  throw UsageError(fmt::format("transport nccl needs NCCL, and there is no libnccl.so.2 that can be loaded ({}); {}",
                               why_not(), how_to_name));
}

Library::Library(const std::string& path) : path_(path) {
  // RTLD_LOCAL: its names must not stand in for those of a plugin.
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw UsageError(
        fmt::format("transport nccl needs NCCL, and '{}' cannot be loaded ({}); {}", path, why_not(), how_to_name));
  }
  functions_ = functions_of(Symbols{handle, path_});
  fake_ = dlsym(handle, "busbar_fake_nccl") != nullptr;
  if (const ncclResult_t result = functions_.get_version(&code_); result != ncclSuccess) {
    throw UsageError(fmt::format("'{}' does not tell its version ({}); {}", path_, functions_.get_error_string(result),
                                 how_to_name));
  }
  version_ = Version::of(code_);
  if (version_.major != NCCL_MAJOR) {
    throw UsageError(fmt::format("'{}' is NCCL {} and this build knows NCCL {}; accepted is the same major version",
                                 path_, version_.text(), Version::of(NCCL_VERSION_CODE).text()));
  }
  if (code_ < oldest_code) {
    throw UsageError(fmt::format("'{}' is NCCL {}, which is too old; {}", path_, version_.text(), how_to_name));
  }
  forget_newer_functions();
}

void Library::forget_newer_functions() {
  if (!has(2, 19)) {
    functions_.mem_alloc = nullptr;
    functions_.mem_free = nullptr;
    functions_.comm_register = nullptr;
    functions_.comm_deregister = nullptr;
  }
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  if (!has(2, 27)) {
    functions_.window_register = nullptr;
    functions_.window_deregister = nullptr;
  }
#endif
#if BUSBAR_NCCL_HEADER_HAS(2, 28)
  if (!has(2, 28)) {
    functions_.all_to_all = nullptr;
    functions_.gather = nullptr;
    functions_.scatter = nullptr;
  }
#endif
}

bool Library::has(int major, int minor) const { return common_code() >= NCCL_VERSION(major, minor, 0); }

int Library::common_code() const { return std::min(code_, NCCL_VERSION_CODE); }

}  // namespace busbar::nccl
