#include "sim/operators.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "memory/reduce.h"
#include "sim/host_property.h"

namespace busbar::sim {
namespace {

// MPI has no more: avg is a sum, and premulsum is refused.
constexpr std::size_t redops = 4;
static_assert(static_cast<std::size_t>(RedOp::max) == redops - 1);
constexpr std::size_t types = static_cast<std::size_t>(DataType::float64) + 1;

/// MPI hands an operator no state: what it costs is read from the host that it is called on.
void charge_here(std::size_t bytes) {
  if (const auto rate = reduction_rate()) HostReduction(*rate).charge(Bytes{bytes});
}

template <DataType type, RedOp redop>
void reduce_in_time(void* source, void* destination, int* count, MPI_Datatype* /*type*/) {
  const auto elements = static_cast<std::size_t>(*count);
  reduce_into(type, redop, static_cast<std::byte*>(destination), static_cast<const std::byte*>(source), elements);
  charge_here(elements * size_of(type));
}

void let_time_pass(void* /*source*/, void* /*destination*/, int* count, MPI_Datatype* type) {
  int element = 0;
  MPI_Type_size(*type, &element);
  charge_here(static_cast<std::size_t>(*count) * static_cast<std::size_t>(element));
}

template <std::size_t... i>
constexpr auto functions_of(std::index_sequence<i...> /*places*/) {
  return std::array<MPI_User_function*, sizeof...(i)>{
      &reduce_in_time<static_cast<DataType>(i / redops), static_cast<RedOp>(i % redops)>...};
}

}  // namespace

SimulatedOperators::SimulatedOperators(std::optional<double> bytes_per_s) : hollow_(mpi::make_op(&let_time_pass)) {
  if (!bytes_per_s) return;
  cost_.emplace(*bytes_per_s);
  for (MPI_User_function* const function : functions_of(std::make_index_sequence<types * redops>{})) {
    timed_.push_back(mpi::make_op(function));
  }
}

MPI_Op SimulatedOperators::op(DataType type, RedOp redop, bool payload) const {
  if (redop == RedOp::premulsum) throw std::logic_error("MPI has no premulsum");
  if (!payload) return hollow_.get();
  if (!cost_) return library_.op(type, redop, payload);
  const RedOp carried_out = redop == RedOp::avg ? RedOp::sum : redop;
  return timed_[static_cast<std::size_t>(type) * redops + static_cast<std::size_t>(carried_out)].get();
}

}  // namespace busbar::sim
