// A schedule made ready to run: every message with its addresses and, where ranks write or read each other's memory,
// the keys to it.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "transport/local_work.h"
#include "transport/ucx/carrier.h"
#include "transport/ucx/memory.h"

namespace busbar::ucx {

struct ProgramStep {
  std::vector<LocalWork> before;
  std::vector<Grant> grants;
  std::vector<Outgoing> sends;
  std::vector<Incoming> receives;
  std::vector<LocalWork> after;
};

struct Program {
  std::vector<Grant> at_start;  ///< of an execution that is not fresh
  std::vector<ProgramStep> steps;
  bool streams = false;
  std::vector<RemoteKey> keys;

  std::size_t most_sends() const;
  std::size_t most_receives() const;
};

/// All ranks' schedules of one operation.
class SchedulesOf final : public Schedules {
 public:
  explicit SchedulesOf(const OperationSpec& spec) : spec_(spec) {}
  const Schedule& of(Rank rank) override;

 private:
  const OperationSpec& spec_;
  std::map<Rank, Schedule> known_;
};

/// The ranks that `schedule` has messages for or from.
std::set<Rank> peers_of(const Schedule& schedule);

/// Collective over the group, whose members are connected as far as they have messages for each other.
/// @param remote messages name places in other ranks' memory
Program make_program(const OperationSpec& spec, const Buffers& buffers, Mesh& mesh, const Ledger& ledger, bool remote);

}  // namespace busbar::ucx
