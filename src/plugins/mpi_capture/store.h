// The calls through communicators of one group of ranks, counted where they are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace busbar::plugins {

/// What makes calls alike. Names are string literals, or null where MPI has none.
struct Call {
  const char* function = nullptr;
  const char* datatype = nullptr;
  const char* op = nullptr;
  bool blocking = true;
  /// As nccl-tests counts it; none where ranks have sizes of their own.
  std::optional<std::uint64_t> bytes;
  bool operator==(const Call&) const = default;
};

struct Calls {
  Call call;
  std::uint64_t times = 0;
};

/// From any number of threads. Keeps at most 4096 different calls; what would need another one is counted as lost.
class Store {
 public:
  void add(const Call& call) noexcept;
  /// Sorted, so that two runs can be compared.
  std::vector<Calls> all() const;
  std::uint64_t lost() const;

 private:
  struct Hash {
    std::size_t operator()(const Call& call) const noexcept;
  };
  mutable std::mutex mutex_;
  std::unordered_map<Call, std::uint64_t, Hash> times_;
  std::uint64_t lost_ = 0;
};

/// One group of ranks, as one of them sees it.
struct RankGroup {
  std::string world_ranks;  ///< "0-3,8"; "" where some are not of this process's MPI_COMM_WORLD
  int rank = 0;
  int ranks = 0;
  Store store;
};

}  // namespace busbar::plugins
