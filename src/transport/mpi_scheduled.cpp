#include "transport/mpi_scheduled.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "core/error.h"
#include "transport/local_work.h"

namespace busbar::mpi {
namespace {

constexpr int schedule_tag = 11;

class ScheduledOperation final : public Operation {
 public:
  ScheduledOperation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm, Rank self,
                     const TypeTable& types, const ReductionCost* cost)
      : schedule_(spec.collective->schedule(spec.shape, self)),
        local_(spec, buffers, cost),
        comm_(comm),
        mpi_type_(types.type(spec.type)) {
    std::size_t most = 0;
    for (const Step& step : schedule_.steps) {
      most = std::max(most, step.sends.size() + step.receives.size());
      for (const Send& s : step.sends) require_countable(s.data.count);
    }
    requests_.resize(most, MPI_REQUEST_NULL);
  }

  void enqueue(int slot) override {
    slot_ = slot;
    for (const Step& step : schedule_.steps) run(step);
  }

  void complete() override {}

 private:
  static void require_countable(std::size_t count) {
    if (count <= static_cast<std::size_t>(std::numeric_limits<int>::max())) return;
    throw UsageError(fmt::format("{} elements are more than one MPI message can carry; at most {} are accepted", count,
                                 std::numeric_limits<int>::max()));
  }

  void run(const Step& step) {
    for (const LocalWork& work : step.before) local_.run(work, slot_);
    std::size_t n = 0;
    for (const Receive& r : step.receives) {
      check(MPI_Irecv(local_.at(r.data, slot_), static_cast<int>(r.data.count), mpi_type_, r.from.value, schedule_tag,
                      comm_, &requests_[n++]),
            "MPI_Irecv");
    }
    for (const busbar::Send& s : step.sends) {
      check(MPI_Isend(local_.at(s.data, slot_), static_cast<int>(s.data.count), mpi_type_, s.to.value, schedule_tag,
                      comm_, &requests_[n++]),
            "MPI_Isend");
    }
    if (n > 0) check(MPI_Waitall(static_cast<int>(n), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    for (const LocalWork& work : step.after) local_.run(work, slot_);
  }

  Schedule schedule_;
  LocalWorker local_;
  MPI_Comm comm_;
  MPI_Datatype mpi_type_;
  int slot_ = 0;
  std::vector<MPI_Request> requests_;
};

}  // namespace

std::unique_ptr<Operation> scheduled_operation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm,
                                               Rank self, const TypeTable& types, const ReductionCost* cost) {
  return std::make_unique<ScheduledOperation>(spec, buffers, comm, self, types, cost);
}

}  // namespace busbar::mpi
