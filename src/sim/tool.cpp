// SMPI has no tool interface. What takes the place of control variables are its settings smpi/allreduce, smpi/bcast, …,
// by the name of an algorithm: SimGrid reads them when the simulation begins, for all simulated processes, which are
// one program. Here each of them has its variant's algorithm in force from just before its call until its return;
// between setting and reading it SimGrid runs no other, and each sets what it needs before its own call.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <xbt/config.hpp>

#include "core/error.h"
#include "transport/mpi_tool.h"

namespace simgrid::smpi::colls {

// libsimgrid exports these (3.32; they stand in none of its headers). Weak, so that without them only the choice is
// missing.
using Name = std::string;
[[gnu::weak]] void set_collectives();
[[gnu::weak]] void set_allgather(const Name&);
[[gnu::weak]] void set_allreduce(const Name&);
[[gnu::weak]] void set_alltoall(const Name&);
[[gnu::weak]] void set_alltoallv(const Name&);
[[gnu::weak]] void set_barrier(const Name&);
[[gnu::weak]] void set_bcast(const Name&);
[[gnu::weak]] void set_gather(const Name&);
[[gnu::weak]] void set_reduce(const Name&);
[[gnu::weak]] void set_reduce_scatter(const Name&);
[[gnu::weak]] void set_scatter(const Name&);

}  // namespace simgrid::smpi::colls

namespace busbar::mpi {
namespace {

namespace colls = simgrid::smpi::colls;

using Choose = void (*)(const std::string& algorithm);

/// Null where SimGrid has no such setting. An algorithm that it does not know ends the launch, and SimGrid lists those
/// that it does.
Choose chooser(std::string_view name) {
  struct Known {
    std::string_view name;
    Choose choose;
  };
  const std::array known{
      Known{"smpi/allgather", colls::set_allgather}, Known{"smpi/allreduce", colls::set_allreduce},
      Known{"smpi/alltoall", colls::set_alltoall},   Known{"smpi/alltoallv", colls::set_alltoallv},
      Known{"smpi/barrier", colls::set_barrier},     Known{"smpi/bcast", colls::set_bcast},
      Known{"smpi/gather", colls::set_gather},       Known{"smpi/reduce", colls::set_reduce},
      Known{"smpi/scatter", colls::set_scatter},     Known{"smpi/reduce-scatter", colls::set_reduce_scatter},
  };
  for (const Known& k : known) {
    if (k.name == name && colls::set_collectives != nullptr) return k.choose;
  }
  return nullptr;
}

[[noreturn]] void refuse(const std::string& name) {
  throw UsageError(fmt::format("SimGrid's MPI has no setting '{}' that can change while it runs", name));
}

/// What MVAPICH2's decision function, the default for all_to_all (scripts/busbar/simulate/launch.py), leaves to be
/// wished for. For three ranks it picks an algorithm for powers of two, and ends the launch: ring is that exchange for
/// any number. Short messages it sends to all at once, which takes 4 GiB of 1,024 ranks: Open MPI's function has
/// Bruck's algorithm below 200 bytes for more than 12 ranks (SimGrid 3.32, smpi_openmpi_selector.cpp).
Settings completed(Settings variables, const OperationSpec& spec) {
  const std::string all_to_all = "smpi/alltoall";
  const bool decided = simgrid::config::get_value<std::string>(all_to_all) == "mvapich2";
  if (spec.collective->traits().name != "all_to_all" || !decided || chooser(all_to_all) == nullptr) return variables;
  const int ranks = spec.shape.ranks;
  if (ranks == 3) variables.try_emplace(all_to_all, "ring");
  if (ranks > 12 && spec.shape.chunk() * size_of(spec.type) < 200) variables.try_emplace(all_to_all, "bruck");
  return variables;
}

/// Algorithms for as long as this lives; then those of smpirun's command line.
class Chosen {
 public:
  explicit Chosen(const Settings& variables) {
    for (const auto& [name, algorithm] : variables) chooser(name)(algorithm);
  }
  ~Chosen() { colls::set_collectives(); }
  Chosen(const Chosen&) = delete;
  Chosen& operator=(const Chosen&) = delete;
  Chosen(Chosen&&) = delete;
  Chosen& operator=(Chosen&&) = delete;
};

class OperationUnderVariables final : public Operation {
 public:
  OperationUnderVariables(Settings variables, std::unique_ptr<Operation> operation)
      : variables_(std::move(variables)), operation_(std::move(operation)) {}
  void enqueue(int slot) override {
    const Chosen chosen(variables_);
    operation_->enqueue(slot);
  }
  void complete() override { operation_->complete(); }
  void settle() override { operation_->settle(); }

 private:
  Settings variables_;
  std::unique_ptr<Operation> operation_;
};

}  // namespace

ToolInterface::ToolInterface() = default;
ToolInterface::~ToolInterface() = default;
bool ToolInterface::has_variable(const std::string& name) const { return chooser(name) != nullptr; }
void ToolInterface::write(const std::string& name, const std::string& /*text*/) const { refuse(name); }
std::string ToolInterface::read(const std::string& name) const { refuse(name); }

// Nothing is in force while a communicator is made.
ScopedVariable::ScopedVariable(const ToolInterface& tool, std::string name, const std::string& /*value*/)
    : tool_(tool), name_(std::move(name)) {
  if (!tool_.has_variable(name_)) refuse(name_);
}

ScopedVariable::~ScopedVariable() = default;

std::unique_ptr<Operation> under_variables(const Settings& variables, const OperationSpec& spec,
                                           std::unique_ptr<Operation> operation) {
  const Settings chosen = completed(variables, spec);
  if (chosen.empty()) return operation;
  return std::make_unique<OperationUnderVariables>(chosen, std::move(operation));
}

}  // namespace busbar::mpi
