#include "transport/ucx.h"

#include <fmt/format.h>

#include "core/error.h"
#include "transport/ucx/operation.h"

namespace busbar::ucx {
namespace {

class UcxChannel final : public Channel {
 public:
  UcxChannel(std::shared_ptr<ucp_context> context, std::unique_ptr<Control> control, bool share_core,
             std::shared_ptr<const Ledger> ledger, VariantSettings settings)
      : mesh_(std::move(context), std::move(control), share_core),
        ledger_(std::move(ledger)),
        settings_(settings),
        carrier_(make_carrier(settings.method, mesh_)) {}

  InPlaceResult in_place_result() const override { return InPlaceResult::at_start; }

  std::size_t scratch_elements(const OperationSpec& spec) const override {
    return spec.collective->schedule(spec.shape, mesh_.self()).scratch_elements;
  }

  std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) override {
    const std::set<Rank> peers = peers_of(spec.collective->schedule(spec.shape, mesh_.self()));
    mesh_.connect(peers);
    carrier_->meet(peers);
    const bool remote = settings_.method == Method::put || settings_.method == Method::get;
    return std::make_unique<ScheduledOperation>(make_program(spec, buffers, mesh_, *ledger_, remote), peers,
                                                LocalWorker(spec, buffers), mesh_, *carrier_, settings_.window);
  }

  Observation observe() const override {
    Observation seen;
    seen.algorithm = "portable schedule";
    seen.how.push_back(
        fmt::format("busbar executed the portable schedule over UCX, method={}", name(settings_.method)));
    for (const std::string& way : mesh_.ways()) seen.how.push_back(way);
    return seen;
  }

 private:
  Mesh mesh_;
  std::shared_ptr<const Ledger> ledger_;
  VariantSettings settings_;
  std::unique_ptr<Carrier> carrier_;
};

class Ucx final : public UcxTransport {
 public:
  Ucx(Controls& controls, bool share_core)
      : controls_(controls),
        share_core_(share_core),
        context_(open_context(controls.workers().size())),
        ledger_(std::make_shared<Ledger>()) {}

  std::string_view name() const override { return "ucx"; }
  std::string library_version() const override { return ucx::library_version(); }

  std::optional<std::string> objection(const Settings& settings, const Collective& /*collective*/) const override {
    try {
      VariantSettings::parse(settings);
      return std::nullopt;
    } catch (const UsageError& problem) {
      return problem.what();
    }
  }

  std::optional<std::string> refusal(const OperationSpec& spec) const override {
    if (spec.redop != RedOp::premulsum) return std::nullopt;
    return "premulsum is an operator of NCCL and transport ucx has none like it; accepted: sum, prod, min, max, avg";
  }

  std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) override {
    return std::make_unique<UcxChannel>(context_, controls_.of(members), share_core_, ledger_,
                                        VariantSettings::parse(settings));
  }

  std::unique_ptr<MemorySpace> memory() override { return std::make_unique<UcxMemory>(context_, ledger_); }

 private:
  Controls& controls_;
  bool share_core_;
  std::shared_ptr<ucp_context> context_;
  std::shared_ptr<Ledger> ledger_;
};

}  // namespace

std::string library_version() { return ucp_get_version_string(); }

std::unique_ptr<UcxTransport> make_transport(Controls& controls, bool share_core) {
  return std::make_unique<Ucx>(controls, share_core);
}

}  // namespace busbar::ucx
