// One time for all ranks: rank 0's. After the hierarchical synchronisation of ReproMPI (Hunold and Carpen-Amarie,
// "Hierarchical Clock Synchronization in MPI", CLUSTER 2018): clocks are read along a binomial tree, so that the time
// it takes grows with the logarithm of the number of clocks, and drift is modelled as well as offset.
#pragma once

#include <cstdint>
#include <vector>

#include "core/units.h"
#include "measure/clock.h"
#include "measure/clock_model.h"
#include "measure/control.h"

namespace busbar {

/// Ranks in one *clock domain* share a clock exactly (one kernel, one time namespace); only the lowest rank of each
/// domain, its leader, exchanges messages, and the others take over its model.
class ClockSync {
 public:
  /// Collective. `domain_key`: equal on two ranks if and only if they share a clock. Until the first `sync` every clock
  /// counts as global.
  ClockSync(Control& control, const Clock& clock, std::uint64_t domain_key);

  /// Reads the clocks anew; collective, before each block. Costs nothing where all ranks share a clock; otherwise some
  /// twenty round trips for each doubling of the number of domains. The first call takes 100 ms longer, to see drift.
  void sync();

  Nanoseconds to_global(Nanoseconds local) const { return mine().to_global(local); }
  Nanoseconds to_local(Nanoseconds global) const { return mine().to_local(global); }
  /// How far this rank's `to_global` may be wrong at its newest reading, and at another local time. 0 in rank 0's
  /// domain.
  Nanoseconds error() const { return mine().error_at(Nanoseconds{mine().local_ns}); }
  Nanoseconds error_at(Nanoseconds local) const { return mine().error_at(local); }
  /// The largest error of any rank at a global time; the same answer on every rank, no message needed.
  Nanoseconds worst_error_at(Nanoseconds global) const;

  int domains() const { return static_cast<int>(leaders_.size()); }
  /// The number of a rank's domain: domains are numbered in the order of their leaders.
  int domain(Rank rank) const { return domain_of_.at(static_cast<std::size_t>(rank.value)); }
  /// The model of a rank's clock; every rank knows every model.
  const ClockModel& model(Rank rank) const { return models_.at(static_cast<std::size_t>(domain(rank))); }

 private:
  const ClockModel& mine() const { return model(control_.rank()); }
  bool is_leader() const;
  void find_domains(std::uint64_t domain_key);
  void read_along_tree();
  void share_models();
  void serve(Rank child) const;
  ClockReading read(Rank reference) const;
  void wait_for_drift() const;

  Control& control_;
  const Clock& clock_;
  std::vector<int> domain_of_;      // by rank
  std::vector<Rank> leaders_;       // by domain
  std::vector<ClockModel> models_;  // by domain; all as of the last sync
  ClockTracker tracker_;            // a leader's own readings
  bool read_once_ = false;          // the first sync reads twice
};

}  // namespace busbar
