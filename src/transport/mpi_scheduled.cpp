#include "transport/mpi_scheduled.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <vector>

#include "core/error.h"
#include "memory/reduce.h"

namespace busbar::mpi {
namespace {

constexpr int schedule_tag = 11;

class ScheduledOperation final : public Operation {
 public:
  ScheduledOperation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm, Rank self,
                     const TypeTable& types)
      : schedule_(spec.collective->schedule(spec.shape, self)),
        buffers_(buffers),
        comm_(comm),
        mpi_type_(types.type(spec.type)),
        type_(spec.type),
        redop_(spec.redop.value_or(RedOp::sum)),
        ranks_(spec.shape.ranks),
        element_(size_of(spec.type)) {
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
    for (const LocalWork& work : step.before) run(work);
    std::size_t n = 0;
    for (const Receive& r : step.receives) {
      check(MPI_Irecv(at(r.data), static_cast<int>(r.data.count), mpi_type_, r.from.value, schedule_tag, comm_,
                      &requests_[n++]),
            "MPI_Irecv");
    }
    for (const busbar::Send& s : step.sends) {
      check(MPI_Isend(at(s.data), static_cast<int>(s.data.count), mpi_type_, s.to.value, schedule_tag, comm_,
                      &requests_[n++]),
            "MPI_Isend");
    }
    if (n > 0) check(MPI_Waitall(static_cast<int>(n), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    for (const LocalWork& work : step.after) run(work);
  }

  void run(const LocalWork& work) {
    std::byte* const destination = at(work.destination);
    switch (work.kind) {
      case LocalWork::Kind::copy: std::memmove(destination, at(work.source), work.source.count * element_); break;
      case LocalWork::Kind::reduce: reduce_into(type_, redop_, destination, at(work.source), work.source.count); break;
      case LocalWork::Kind::average: average_in_place(type_, destination, work.destination.count, ranks_); break;
    }
  }

  std::byte* at(const busbar::Span& span) const {
    std::byte* base = buffers_.recv;
    if (span.buffer == BufferId::send) base = buffers_.input[slot_];
    if (span.buffer == BufferId::scratch) base = buffers_.scratch;
    return base + span.offset * element_;
  }

  Schedule schedule_;
  Buffers buffers_;
  MPI_Comm comm_;
  MPI_Datatype mpi_type_;
  DataType type_;
  RedOp redop_;
  int ranks_;
  std::size_t element_;
  int slot_ = 0;
  std::vector<MPI_Request> requests_;
};

}  // namespace

std::unique_ptr<Operation> scheduled_operation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm,
                                               Rank self, const TypeTable& types) {
  return std::make_unique<ScheduledOperation>(spec, buffers, comm, self, types);
}

}  // namespace busbar::mpi
