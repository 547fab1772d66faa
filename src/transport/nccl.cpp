#include "transport/nccl.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "observe/host.h"
#include "transport/nccl/observation.h"
#include "transport/nccl/operation.h"
#include "transport/nccl/table_in_force.h"
#include "transport/nccl/types.h"

namespace busbar::nccl {
namespace {

/// What all channels of a rank share.
struct Resources {
  std::unique_ptr<Library> library;
  gpu::Device& device;
  Site site;
  ComputeCapability least;  ///< of all GPUs of the launch
  std::optional<Tuner> tuner;
  std::optional<Profiler> profiler;
  Ledger ledger{};
  std::weak_ptr<Communicator> collnet{};  ///< the one that is alive
  int communicators = 0;                  ///< made so far
};

std::optional<std::string> wanted_table(const VariantSettings& settings) {
  return settings.algorithm ? std::optional(table_of(settings)) : std::nullopt;
}

std::optional<std::string> refusal_by(const Resources& resources, const OperationSpec& spec) {
  if (auto why = datatype_refusal(*resources.library, resources.least, spec)) return why;
  return registration_refusal(*resources.library, spec);
}

class NcclChannel final : public Channel {
 public:
  NcclChannel(Resources& resources, Control& group, VariantSettings settings)
      : resources_(resources),
        group_(group),
        settings_(std::move(settings)),
        stream_(resources.device, resources.device.create_stream()) {
    if (!settings_.wants_collnet()) comm_ = connect();
  }

  InPlaceResult in_place_result() const override { return InPlaceResult::at_own_chunk; }

  std::size_t scratch_elements(const OperationSpec& spec) const override {
    if (const NativeCall* const call = native(spec)) return call->scratch_elements;
    return spec.collective->schedule(spec.shape, group_.rank()).scratch_elements;
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
      throw UsageError("this GPU has a communicator with CollNet already; accepted is one at a time");
    }
    const Library& library = *resources_.library;
    ncclUniqueId id{};
    if (group_.is_root()) check(library, library.call().get_unique_id(&id), "ncclGetUniqueId", resources_.site);
    broadcast_value(group_, id);

    const TableInForce table(resources_.tuner, wanted_table(settings_));
    static_cast<void>(resources_.device.done(stream_.get()));  // NCCL takes the thread's current device
    const std::string name = fmt::format("busbar-{}-{}", resources_.site.rank.value, resources_.communicators++);
    auto comm = std::make_shared<Communicator>(library, resources_.site, id, group_.rank(), group_.size(),
                                               config_of(settings_, library.common_code()), name);
    if (settings_.wants_collnet()) resources_.collnet = comm;
    if (resources_.profiler) profiled_ = resources_.profiler->newest(comm->name(), comm->self(), comm->ranks());
    return comm;
  }

  /// What was recorded up to now is of earlier operations.
  void forget_profile() {
    records_.clear();
    if (profiled_) resources_.profiler->read(profiled_->handle);
  }

  Resources& resources_;
  Control& group_;
  VariantSettings settings_;
  OwnedStream stream_;
  std::shared_ptr<Communicator> comm_;  ///< null with CollNet: every operation then has its own
  std::optional<ProfiledCommunicator> profiled_;
  const NativeCall* call_ = nullptr;             ///< the one prepared last; null: the portable schedule
  mutable std::vector<ProfiledRecord> records_;  ///< of the operation prepared last; reading them takes them away
};

Site site_of(Rank rank, const gpu::Device& device) {
  const gpu::DeviceInfo info = device.info();
  return {host_name(), rank, info.index, info.pci_bus_id};
}

/// Collective over the workers.
ComputeCapability least_of(Control& workers, const gpu::Device& device) {
  const gpu::DeviceInfo info = device.info();
  const auto all = gather_value(workers, ComputeCapability{info.compute_major, info.compute_minor});
  ComputeCapability least = workers.is_root() ? *std::min_element(all.begin(), all.end()) : ComputeCapability{};
  broadcast_value(workers, least);
  return least;
}

bool can_load(const char* library) { return dlopen(library, RTLD_LAZY | RTLD_LOCAL) != nullptr; }

class Nccl final : public NcclTransport {
 public:
  Nccl(Controls& controls, gpu::Device& device)
      : controls_(controls),
        resources_{.library = Library::load(),
                   .device = device,
                   .site = site_of(controls.workers().rank(), device),
                   .least = least_of(controls.workers(), device),
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

  bool has_one_at_a_time(const Settings& settings) const override {
    return VariantSettings::parse(settings).wants_collnet();
  }

  std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) override {
    auto& group = groups_[members];
    if (!group) group = controls_.of(members);
    return std::make_unique<NcclChannel>(resources_, *group, VariantSettings::parse(settings));
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

  Controls& controls_;
  std::map<std::vector<Rank>, std::unique_ptr<Control>> groups_;  ///< of all channels that were opened
  Resources resources_;
};

}  // namespace

std::unique_ptr<NcclTransport> make_transport(Controls& controls, gpu::Device& device) {
  return std::make_unique<Nccl>(controls, device);
}

}  // namespace busbar::nccl
