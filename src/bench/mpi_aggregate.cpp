#include "bench/mpi_aggregate.h"

#include <algorithm>

#include "transport/mpi_messenger.h"
#include "transport/mpi_orders.h"
#include "transport/tree/aggregator.h"

namespace busbar {
namespace {

// Without a job an aggregator must not cost the others their cores: it looks for orders now and then, less and less
// often. A job waits this long for it at most, while it is being prepared.
constexpr Nanoseconds first_nap{50'000};
constexpr Nanoseconds longest_nap{5'000'000};

constexpr tree::Messenger::Handle order_handle = 0;

void wait_idly(MPI_Request& order, const Clock& clock) {
  if (clock.simulated()) {
    mpi::check(MPI_Wait(&order, MPI_STATUS_IGNORE), "MPI_Wait");
    return;
  }
  Nanoseconds nap = first_nap;
  for (;;) {
    int arrived = 0;
    mpi::check(MPI_Test(&order, &arrived, MPI_STATUS_IGNORE), "MPI_Test");
    if (arrived != 0) return;
    clock.nap(nap);
    nap = std::min(2 * nap, longest_nap);
  }
}

/// Until the order to leave comes; it comes when every execution has been answered, or is about to be.
void serve_job(const mpi::Assignment& assignment, mpi::OrderBook& orders, const mpi::World& world, const Clock& clock,
               tree::Intake* intake, Progress& progress) {
  mpi::MpiMessenger messenger(world.everyone());
  messenger.reserve(order_handle + 1 + tree::Aggregator::handles(assignment.job, assignment.node));
  tree::Aggregator node(assignment.job, assignment.node, assignment.tree, assignment.trees, order_handle + 1, messenger,
                        intake);
  node.open();
  orders.report_ready();
  messenger.adopt(order_handle, orders.listen());

  std::vector<tree::Messenger::Handle> awaited;
  bool released = false;
  while (!released || !node.at_rest()) {
    awaited.assign(node.awaited().begin(), node.awaited().end());
    if (!released) awaited.push_back(order_handle);
    const bool rested = node.at_rest();
    const std::size_t place = messenger.wait_any(awaited);
    if (awaited[place] == order_handle) {
      released = true;
      continue;
    }
    if (rested) progress.enter(Phase::operation, clock.now());
    node.take(place);
    if (node.at_rest()) {
      progress.enter(Phase::idle, clock.now());
    } else {
      progress.set_waits_for(node.waits_for());
    }
  }
  node.close();
  orders.report_ready();
}

}  // namespace

void aggregate(const mpi::World& world, const Machine& machine, Progress& progress) {
  const Clock& clock = machine.clock();
  const auto intake = machine.intake();
  mpi::OrderBook orders(world.everyone());
  for (;;) {
    progress.enter(Phase::idle, clock.now());
    MPI_Request order = orders.listen();
    wait_idly(order, clock);
    if (orders.kind() == mpi::OrderBook::Kind::dismissal) return;
    const mpi::Assignment assignment = orders.read_assignment();
    progress.begin_point(assignment.operation, assignment.size, "", assignment.deadline);
    serve_job(assignment, orders, world, clock, intake.get(), progress);
  }
}

}  // namespace busbar
