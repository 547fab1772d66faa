#include "transport/mpi.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "core/error.h"
#include "transport/mpi_native.h"
#include "transport/mpi_scheduled.h"
#include "transport/mpi_tool.h"

namespace busbar::mpi {
namespace {

constexpr std::string_view schedule_key = "schedule";
constexpr std::string_view tuned_prefix = "coll_tuned_";
const std::string dynamic_rules = "coll_tuned_use_dynamic_rules";

Communicator duplicate(MPI_Comm comm) {
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(comm, &copy), "MPI_Comm_dup");
  return Communicator{copy};
}

class MpiChannel final : public Channel {
 public:
  MpiChannel(Communicator comm, bool portable, const TypeTable& types)
      : comm_(std::move(comm)), portable_(portable), types_(types) {
    check(MPI_Comm_rank(comm_.get(), &self_.value), "MPI_Comm_rank");
  }

  InPlaceResult in_place_result() const override { return InPlaceResult::at_start; }

  std::size_t scratch_elements(const OperationSpec& spec) const override {
    return spec.collective->schedule(spec.shape, self_).scratch_elements;
  }

  std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) override {
    if (!portable_) {
      if (auto native = native_operation(spec, buffers, comm_.get(), self_, types_)) {
        ran_ = "native";
        return native;
      }
    }
    ran_ = "portable";
    return scheduled_operation(spec, buffers, comm_.get(), self_, types_);
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
  const TypeTable& types_;
  Rank self_;
  std::string ran_;
};

class MpiTransport final : public Transport {
 public:
  explicit MpiTransport(MPI_Comm workers) : workers_(duplicate(workers)) {}

  std::string_view name() const override { return "mpi"; }

  std::string library_version() const override {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    const std::string version{text.data(), static_cast<std::size_t>(length)};
    return version.substr(0, version.find_first_of(",\n"));
  }

  std::optional<std::string> objection(const Settings& settings) const override {
    for (const auto& [key, value] : settings) {
      if (key == schedule_key) {
        if (value == "native" || value == "portable") continue;
        return fmt::format("variant setting schedule='{}' is unknown; accepted: native, portable", value);
      }
      if (!tool_.has_variable(key)) {
        return fmt::format(
            "unknown variant key '{}'; accepted: schedule, an MPI_T control variable of this MPI such as "
            "coll_tuned_allreduce_algorithm, or (through 'busbar run') an environment variable NCCL_*, UCX_*, "
            "OMPI_MCA_*",
            key);
      }
      // Open MPI takes the write and ignores it without the switch that is read once, at launch.
      if (key.starts_with(tuned_prefix) && (!tool_.has_variable(dynamic_rules) || tool_.read(dynamic_rules) != "1")) {
        return fmt::format("variant key '{}' has no effect unless OMPI_MCA_{}=1 is set at launch", key, dynamic_rules);
      }
    }
    return std::nullopt;
  }

  std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) override {
    const Communicator group = communicator_of(workers_.get(), members);
    bool portable = false;
    std::vector<std::unique_ptr<ScopedVariable>> scoped;
    for (const auto& [key, value] : settings) {
      if (key == schedule_key) {
        portable = value == "portable";
      } else {
        scoped.push_back(std::make_unique<ScopedVariable>(tool_, key, value));
      }
    }
    // coll_tuned reads its control variables when a communicator is made; later changes do not reach it.
    return std::make_unique<MpiChannel>(duplicate(group.get()), portable, types_);
  }

 private:
  Communicator workers_;
  ToolInterface tool_;
  TypeTable types_;
};

}  // namespace

std::unique_ptr<Transport> make_transport(MPI_Comm workers) { return std::make_unique<MpiTransport>(workers); }

}  // namespace busbar::mpi
