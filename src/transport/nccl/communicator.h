// A communicator of NCCL: one rank's part in one group under one configuration.
#pragma once

#include <string>
#include <string_view>

#include "transport/nccl/error.h"

namespace busbar::nccl {

class Communicator {
 public:
  /// Collective over the group's `ranks`; `library` must outlive it.
  /// @param self the rank in the group
  /// @param name what the profiler is told, where both header and library can; must differ within the process
  Communicator(const Library& library, Site site, const ncclUniqueId& id, Rank self, int ranks, ncclConfig_t config,
               std::string name);
  /// Ends it with the others' help; aborts it, which needs nobody, where something went wrong.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  Communicator(Communicator&&) = delete;
  Communicator& operator=(Communicator&&) = delete;

  ncclComm_t get() const { return comm_; }
  const Functions& call() const { return library_.call(); }
  Rank self() const { return self_; }
  int ranks() const { return ranks_; }
  /// "" where NCCL is too old for names.
  const std::string& name() const { return name_; }

  /// @throws as nccl::check; the communicator is then aborted, not destroyed.
  void check(ncclResult_t result, std::string_view call, SourceLine where = SourceLine::current());
  /// Asks NCCL whether something failed meanwhile, here or at a peer. @throws as `check`.
  void watch();
  /// Aborts it if a call failed or an exception is on its way: whoever is about to free memory that stuck kernels use
  /// would wait for them. Graphs must be gone before, because NCCL waits for those.
  /// @return whether it is gone, and all that was registered with it
  bool abort_where_broken() noexcept;

 private:
  const Library& library_;
  Site site_;
  std::string name_;  ///< NCCL keeps no copy
  Rank self_;
  int ranks_;
  int exceptions_at_birth_;
  bool broken_ = false;
  ncclComm_t comm_ = nullptr;
};

}  // namespace busbar::nccl
