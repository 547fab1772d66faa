// How workers tell an aggregator what to do: take on a job, leave it, end. One message tells the kind, a second one
// what the job is.
#pragma once

#include <optional>
#include <string>

#include "transport/mpi_handles.h"
#include "transport/tree/plan.h"
#include "transport/tree/shape.h"

namespace busbar::mpi {

/// A job for one aggregation node.
struct Assignment {
  tree::Job job;
  std::size_t tree = 0;
  std::size_t trees = 1;
  tree::Node node;
  std::string operation;  ///< for people: what the job is part of
  Bytes size;
  Nanoseconds deadline{};  ///< for one execution
};

/// An aggregator's end.
class OrderBook {
 public:
  enum class Kind : int { assignment, release, dismissal };

  explicit OrderBook(MPI_Comm everyone) : comm_(everyone) {}
  /// Starts waiting for an order, which may come from any worker; valid until `kind` is called.
  MPI_Request listen();
  /// The order that the request above brought.
  Kind kind() const { return static_cast<Kind>(header_.kind); }
  Assignment read_assignment() const;
  void report_ready() const;

 private:
  friend class AggregatorOrders;  // fills the header
  struct Header {
    int kind = 0;
    int sender = 0;
    int bytes = 0;  ///< of the assignment that follows
  };

  MPI_Comm comm_;
  Header header_;
};

/// A worker's end.
class AggregatorOrders {
 public:
  explicit AggregatorOrders(MPI_Comm everyone) : comm_(everyone) {}
  void assign(ProcessId aggregator, const Assignment& assignment) const;
  /// Ends the job; every assignment needs it. Whoever assigned it releases it.
  void release(ProcessId aggregator) const;
  /// Returns when the aggregator is ready for its job's first message, or has left its job.
  void await_ready(ProcessId aggregator) const;
  void dismiss(ProcessId aggregator) const;

 private:
  void send(ProcessId aggregator, OrderBook::Kind kind, int bytes) const;

  MPI_Comm comm_;
};

}  // namespace busbar::mpi
