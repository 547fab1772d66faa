#include "transport/nccl.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/error.h"
#include "observe/host.h"
#include "transport/nccl/observation.h"
#include "transport/nccl/operation.h"
#include "transport/nccl/types.h"

namespace busbar::nccl {
namespace {

/// What all channels of a process share.
struct Resources {
  std::unique_ptr<Library> library;
  gpu::Device& device;
  Site site;
  ComputeCapability least;  ///< of all GPUs of the launch
  std::optional<Tuner> tuner;
  std::optional<Profiler> profiler;
  Ledger ledger{};
  std::weak_ptr<Communicator> collnet{};  ///< the one that is alive
};

std::optional<std::string> refusal_by(const Resources& resources, const OperationSpec& spec) {
  if (auto why = datatype_refusal(*resources.library, resources.least, spec)) return why;
  return registration_refusal(*resources.library, spec);
}

/// While it lives, communicators are made with the variant's table.
class TableInForce {
 public:
  TableInForce(const std::optional<Tuner>& tuner, const VariantSettings& settings) : tuner_(tuner) {
    if (settings.algorithm) tuner_.value().set_table(table_of(settings));
  }
  ~TableInForce() {
    if (tuner_) tuner_->reset();
  }
  TableInForce(const TableInForce&) = delete;
  TableInForce& operator=(const TableInForce&) = delete;
  TableInForce(TableInForce&&) = delete;
  TableInForce& operator=(TableInForce&&) = delete;

 private:
  const std::optional<Tuner>& tuner_;
};

class NcclChannel final : public Channel {
 public:
  NcclChannel(Resources& resources, mpi::Communicator group, VariantSettings settings)
      : resources_(resources),
        group_(std::move(group)),
        settings_(std::move(settings)),
        stream_(resources.device, resources.device.create_stream()) {
    mpi::check(MPI_Comm_rank(group_.get(), &self_.value), "MPI_Comm_rank");
    mpi::check(MPI_Comm_size(group_.get(), &ranks_), "MPI_Comm_size");
    if (!settings_.wants_collnet()) comm_ = connect();
  }

  InPlaceResult in_place_result() const override { return InPlaceResult::at_own_chunk; }

  std::size_t scratch_elements(const OperationSpec& spec) const override {
    if (const NativeCall* const call = native(spec)) return call->scratch_elements;
    return spec.collective->schedule(spec.shape, self_).scratch_elements;
  }

  std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) override {
    if (auto why = refusal_by(resources_, spec)) throw UsageError(*why);
    // A switch or port has one SHARP tree to give, so CollNet lives no longer than one operation: groups that overlap
    // take turns, and all members of a group end theirs together.
    std::shared_ptr<Communicator> comm = settings_.wants_collnet() ? connect() : comm_;
    call_ = native(spec);
    forget_profile();
    Parts parts{.comm = comm, .registrations = nullptr, .work = nullptr, .graph = spec.graph};
    if (spec.registration != Registration::none) {
      parts.registrations = std::make_unique<Registrations>(comm, resources_.ledger, spec, buffers);
    }
    parts.work = call_ != nullptr ? native_work(*call_, std::move(comm), stream_.get(), spec, buffers)
                                  : planned_work(std::move(comm), resources_.device, stream_.get(), spec, buffers);
    return std::make_unique<StreamOperation>(resources_.device, stream_.get(), std::move(parts));
  }

  Observation observe() const override {
    Observation seen;
    if (call_ == nullptr) {
      seen.algorithm = "portable schedule";
      seen.how.emplace_back("busbar executed the portable schedule by grouped ncclSend and ncclRecv");
      return seen;
    }
    seen.how.push_back(fmt::format("busbar called {}", call_->name));
    if (call_->function.empty()) return seen;  // made of sends and receives inside NCCL: there is no algorithm
    if (!profiled_) {
      seen.how.emplace_back("no libnccl-profiler-busbar.so in NCCL_PROFILER_PLUGIN: what NCCL chose is not known");
      return seen;
    }
    const auto more = resources_.profiler->read(profiled_->handle);
    records_.insert(records_.end(), more.begin(), more.end());
    const auto facts = resources_.profiler->facts(profiled_->handle);
    add_profile(seen, records_, facts.value_or(*profiled_), call_->function, settings_.in_network);
    return seen;
  }

 private:
  const NativeCall* native(const OperationSpec& spec) const {
    return settings_.portable ? nullptr : native_call(resources_.library->call(), spec.collective->traits().name);
  }

  std::shared_ptr<Communicator> connect() {
    if (settings_.wants_collnet() && !resources_.collnet.expired()) {
      throw UsageError("this process has a communicator with CollNet already; accepted is one at a time");
    }
    const Library& library = *resources_.library;
    ncclUniqueId id{};
    if (self_ == Rank{0}) check(library, library.call().get_unique_id(&id), "ncclGetUniqueId", resources_.site);
    mpi::check(MPI_Bcast(&id, sizeof(id), MPI_BYTE, 0, group_.get()), "MPI_Bcast");

    const TableInForce table(resources_.tuner, settings_);
    static_cast<void>(resources_.device.done(stream_.get()));  // NCCL takes the thread's current device
    auto comm = std::make_shared<Communicator>(library, resources_.site, id, self_, ranks_,
                                               config_of(settings_, library.common_code()));
    if (settings_.wants_collnet()) resources_.collnet = comm;
    if (resources_.profiler) profiled_ = resources_.profiler->newest(self_.value, ranks_);
    return comm;
  }

  /// What was recorded up to now is of earlier operations.
  void forget_profile() {
    records_.clear();
    if (profiled_) resources_.profiler->read(profiled_->handle);
  }

  Resources& resources_;
  mpi::Communicator group_;
  VariantSettings settings_;
  OwnedStream stream_;
  Rank self_;
  int ranks_ = 0;
  std::shared_ptr<Communicator> comm_;  ///< null with CollNet: every operation then has its own
  std::optional<ProfiledCommunicator> profiled_;
  const NativeCall* call_ = nullptr;             ///< the one prepared last; null: the portable schedule
  mutable std::vector<ProfiledRecord> records_;  ///< of the operation prepared last; reading them takes them away
};

Site site_of(const mpi::World& world, const gpu::Device& device) {
  const gpu::DeviceInfo info = device.info();
  return {host_name(), Rank{world.self().value}, info.index, info.pci_bus_id};
}

/// Collective over the workers.
ComputeCapability least_of(const mpi::World& world, const gpu::Device& device) {
  const gpu::DeviceInfo info = device.info();
  constexpr int minors = 1000;
  const int mine = info.compute_major * minors + info.compute_minor;
  int least = mine;
  mpi::check(MPI_Allreduce(&mine, &least, 1, MPI_INT, MPI_MIN, world.peers()), "MPI_Allreduce");
  return {least / minors, least % minors};
}

bool can_load(const char* library) { return dlopen(library, RTLD_LAZY | RTLD_LOCAL) != nullptr; }

class Nccl final : public NcclTransport {
 public:
  Nccl(const mpi::World& world, gpu::Device& device)
      : world_(world),
        resources_{.library = Library::load(),
                   .device = device,
                   .site = site_of(world, device),
                   .least = least_of(world, device),
                   .tuner = Tuner::find(),
                   .profiler = Profiler::find()} {}

  std::string_view name() const override { return "nccl"; }
  std::string library_version() const override { return resources_.library->version().text(); }
  bool fake() const override { return resources_.library->fake(); }
  std::string library_path() const override { return resources_.library->path(); }

  std::optional<std::string> objection(const Settings& settings, const Collective& collective) const override {
    try {
      return nccl::objection(VariantSettings::parse(settings), collective.traits(), surroundings());
    } catch (const UsageError& problem) {
      return problem.what();
    }
  }

  std::optional<std::string> refusal(const OperationSpec& spec) const override { return refusal_by(resources_, spec); }

  std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) override {
    return std::make_unique<NcclChannel>(resources_, mpi::communicator_of(world_.peers(), members),
                                         VariantSettings::parse(settings));
  }

  std::unique_ptr<MemorySpace> symmetric_memory(MemorySpace& gpu) override {
    if (resources_.library->call().mem_alloc == nullptr) {
      throw UsageError(fmt::format(
          "NCCL {} has no ncclMemAlloc; accepted is 2.19 or newer, in the build and at run time", library_version()));
    }
    return std::make_unique<SymmetricMemory>(*resources_.library, resources_.site, resources_.ledger, gpu);
  }

 private:
  Surroundings surroundings() const {
    return {.version = resources_.library->common_code(),
            .tuner = resources_.tuner.has_value(),
            .sharp_library = fake() || can_load("libsharp_coll.so") || can_load("libsharp_coll.so.5"),
            .variable = variable_as_nccl_sees_it};
  }

  const mpi::World& world_;
  Resources resources_;
};

}  // namespace

std::unique_ptr<NcclTransport> make_transport(const mpi::World& world, gpu::Device& device) {
  return std::make_unique<Nccl>(world, device);
}

}  // namespace busbar::nccl
