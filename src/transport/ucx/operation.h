// Carries out a program, execution by execution.
#pragma once

#include "transport/ucx/program.h"

namespace busbar::ucx {

class ScheduledOperation final : public Operation {
 public:
  /// `carrier` outlives the operation and has met all that the program has messages for.
  ScheduledOperation(Program program, std::set<Rank> peers, const LocalWorker& local, Mesh& mesh, Carrier& carrier,
                     std::size_t window);
  void enqueue(int slot) override;
  void complete() override;
  void settle() override { mesh_.settle(peers_); }

 private:
  void run_to_the_end(int slot);
  void stream(int slot);
  void post_held();

  Program program_;
  std::set<Rank> peers_;
  LocalWorker local_;
  Mesh& mesh_;
  Carrier& carrier_;
  std::size_t window_;
  bool fresh_ = true;
  /// The input slot of the execution whose receives are yet to be posted. Messages of executions that overlap go to the
  /// same place; what must be left there is the last one's, so that is posted when all others have landed.
  std::optional<int> held_;
};

}  // namespace busbar::ucx
