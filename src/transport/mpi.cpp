#include "transport/mpi.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>

#include "collectives/registry.h"
#include "core/error.h"
#include "transport/mpi_native.h"
#include "transport/mpi_scheduled.h"
#include "transport/mpi_sharp.h"
#include "transport/mpi_tool.h"
#include "transport/mpi_tree.h"

namespace busbar::mpi {
namespace {

constexpr std::string_view schedule_key = "schedule";
constexpr std::string_view in_network_key = "in_network";
constexpr std::string_view tuned_prefix = "coll_tuned_";
const std::string dynamic_rules = "coll_tuned_use_dynamic_rules";

class MpiChannel final : public Channel {
 public:
  MpiChannel(Communicator comm, bool portable, Settings variables, const TypeTable& types, const Operators& operators)
      : comm_(std::move(comm)),
        portable_(portable),
        variables_(std::move(variables)),
        types_(types),
        operators_(operators) {
    check(MPI_Comm_rank(comm_.get(), &self_.value), "MPI_Comm_rank");
  }

  InPlaceResult in_place_result() const override { return InPlaceResult::at_start; }

  std::size_t scratch_elements(const OperationSpec& spec) const override {
    return spec.collective->schedule(spec.shape, self_).scratch_elements;
  }

  std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) override {
    if (!portable_) {
      if (auto native = native_operation(spec, buffers, comm_.get(), self_, types_, operators_)) {
        ran_ = "native";
        return under_variables(variables_, spec, std::move(native));
      }
    }
    ran_ = "portable";
    return scheduled_operation(spec, buffers, comm_.get(), self_, types_, operators_.cost());
  }

  Observation observe() const override {
    Observation seen;
    // Which of its algorithms the library picked cannot be asked; which of our two ways was taken is known.
    if (ran_ == "portable") seen.algorithm = "portable schedule";
    seen.how.push_back(fmt::format("busbar executed the {} {}", ran_, ran_ == "native" ? "MPI call" : "schedule"));
    return seen;
  }

 private:
  Communicator comm_;
  bool portable_;
  Settings variables_;
  const TypeTable& types_;
  const Operators& operators_;
  Rank self_;
  std::string ran_;
};

std::string in_network(const Settings& settings) {
  const auto asked = settings.find(std::string{in_network_key});
  return asked == settings.end() ? "off" : asked->second;
}

class MpiTransport final : public Transport {
 public:
  MpiTransport(const World& world, const std::vector<std::string>& trees, std::unique_ptr<const Operators> operators)
      : world_(world),
        workers_(duplicate(world.peers())),
        wirings_(tree::wire(trees, world.processes())),
        operators_(std::move(operators)) {}

  std::string_view name() const override { return "mpi"; }

  std::string library_version() const override { return mpi::library_version(); }

  std::optional<std::string> objection(const Settings& settings, const Collective& collective) const override {
    if (auto why = in_network_objection(settings, collective)) return why;
    for (const auto& [key, value] : settings) {
      if (key == in_network_key || TreeSettings::has_key(key)) continue;
      if (key == schedule_key) {
        if (value == "native" || value == "portable") continue;
        return fmt::format("variant setting schedule='{}' is unknown; accepted: native, portable", value);
      }
      if (!tool_.has_variable(key)) {
        return fmt::format(
            "unknown variant key '{}'; accepted: schedule, in_network, an MPI_T control variable of this MPI such as "
            "coll_tuned_allreduce_algorithm (on simulated hosts smpi/allreduce and its like), or (through 'busbar "
            "run') an environment variable NCCL_*, UCX_*, OMPI_MCA_*",
            key);
      }
      // Open MPI takes the write and ignores it without the switch that is read once, at launch.
      if (key.starts_with(tuned_prefix) && (!tool_.has_variable(dynamic_rules) || tool_.read(dynamic_rules) != "1")) {
        return fmt::format("variant key '{}' has no effect unless OMPI_MCA_{}=1 is set at launch", key, dynamic_rules);
      }
    }
    return std::nullopt;
  }

  bool has_one_at_a_time(const Settings& settings) const override { return in_network(settings) != "off"; }
  std::optional<std::string> refusal(const OperationSpec& spec) const override {
    if (spec.redop != RedOp::premulsum) return std::nullopt;
    return "premulsum is an operator of NCCL and transport mpi has none like it; accepted: sum, prod, min, max, avg";
  }

  std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) override {
    Communicator group = communicator_of(workers_.get(), members);
    if (in_network(settings) == "tree") {
      return open_tree_channel(world_, wirings_, members, TreeSettings::parse(settings), std::move(group));
    }
    bool portable = false;
    Settings variables;
    std::vector<std::unique_ptr<ScopedVariable>> scoped;
    for (const auto& [key, value] : settings) {
      if (key == schedule_key) {
        portable = value == "portable";
      } else if (key != in_network_key) {
        variables[key] = value;
        scoped.push_back(std::make_unique<ScopedVariable>(tool_, key, value));
      }
    }
    // coll_tuned reads its control variables when a communicator is made; later changes do not reach it.
    return std::make_unique<MpiChannel>(duplicate(group.get()), portable, std::move(variables), types_, *operators_);
  }

 private:
  std::optional<std::string> in_network_objection(const Settings& settings, const Collective& collective) const {
    const std::string asked = in_network(settings);
    if (asked != "off" && asked != "tree" && asked != "sharp") {
      return fmt::format("variant setting in_network='{}' is unknown; accepted: off, tree, sharp", asked);
    }
    const auto applies = [&](const std::string& key) {
      if (key == in_network_key) return true;
      if (TreeSettings::has_key(key)) return asked == "tree";
      return asked == "off" || (asked == "sharp" && key != schedule_key);
    };
    for (const auto& [key, value] : settings) {
      if (!applies(key)) {
        return fmt::format("variant key '{}' has no effect with in_network={}; accepted is one without the other", key,
                           asked);
      }
    }
    if (asked == "sharp") return sharp_objection(tool_);
    if (asked == "off") return std::nullopt;
    if (collective.traits().tree == TreeFlow::none) {
      return fmt::format("in_network=tree has nothing to do for {}; accepted: {}", collective.traits().name,
                         fmt::join(tree_operations(), ", "));
    }
    if (wirings_.empty()) {
      return "in_network=tree needs aggregators and this launch has none; accepted is 'busbar run --in-network on', or "
             "': -np 1 busbar-bench --role aggregator' at the end of mpirun's command line";
    }
    try {
      TreeSettings::parse(settings);
    } catch (const UsageError& problem) {
      return problem.what();
    }
    return std::nullopt;
  }

  static std::vector<std::string_view> tree_operations() {
    std::vector<std::string_view> names;
    for (const Collective* c : all_collectives()) {
      if (c->traits().tree != TreeFlow::none) names.push_back(c->traits().name);
    }
    return names;
  }

  const World& world_;
  Communicator workers_;
  std::vector<tree::Wiring> wirings_;
  ToolInterface tool_;
  TypeTable types_;
  std::unique_ptr<const Operators> operators_;
};

}  // namespace

std::string library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  const std::string version{text.data(), static_cast<std::size_t>(length)};
  return version.substr(0, version.find_first_of(",\n"));
}

std::unique_ptr<Transport> make_transport(const World& world, const std::vector<std::string>& trees,
                                          std::unique_ptr<const Operators> operators) {
  return std::make_unique<MpiTransport>(world, trees, std::move(operators));
}

}  // namespace busbar::mpi
