// busbar-bench over MPI with one fault, told by BUSBAR_FAULT:
//   flip:RANK   that rank's results have one wrong bit
//   hang:RANK   that rank hangs while it prepares its operations
//   stop:RANK   that rank is stopped in the middle of an operation
//   die:RANK    that rank ends in the middle of an operation
// Only operations on AT_LEAST bytes (BUSBAR_FAULT_FROM, default 0) are affected.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "bench/mpi_machine.h"
#include "bench/mpi_main.h"

namespace {

using namespace busbar;

struct Fault {
  std::string kind;
  int rank = -1;
  std::uint64_t from_bytes = 0;
};

Fault fault_from_environment() {
  const char* const text = std::getenv("BUSBAR_FAULT");
  const char* const from = std::getenv("BUSBAR_FAULT_FROM");
  if (text == nullptr) return {};
  const std::string fault = text;
  const auto colon = fault.find(':');
  return {fault.substr(0, colon), std::stoi(fault.substr(colon + 1)), from == nullptr ? 0 : std::stoull(from)};
}

class FaultyOperation final : public Operation {
 public:
  FaultyOperation(std::unique_ptr<Operation> real, std::string kind, std::byte* result)
      : real_(std::move(real)), kind_(std::move(kind)), result_(result) {}
  void enqueue(int slot) override {
    if (kind_ == "stop") raise(SIGSTOP);
    if (kind_ == "die") _exit(9);
    real_->enqueue(slot);
    real_->complete();
    *result_ ^= std::byte{1};
  }
  void complete() override {}

 private:
  std::unique_ptr<Operation> real_;
  std::string kind_;
  std::byte* result_;
};

class FaultyChannel final : public Channel {
 public:
  FaultyChannel(std::unique_ptr<Channel> real, Fault fault) : real_(std::move(real)), fault_(std::move(fault)) {}
  InPlaceResult in_place_result() const override { return real_->in_place_result(); }
  std::size_t scratch_elements(const OperationSpec& spec) const override { return real_->scratch_elements(spec); }
  std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) override {
    auto operation = real_->prepare(spec, buffers);
    if (spec.shape.elements * size_of(spec.type) < fault_.from_bytes) return operation;
    while (fault_.kind == "hang") pause();
    return std::make_unique<FaultyOperation>(std::move(operation), fault_.kind, buffers.recv);
  }
  Observation observe() const override { return real_->observe(); }

 private:
  std::unique_ptr<Channel> real_;
  Fault fault_;
};

class FaultyTransport final : public Transport {
 public:
  FaultyTransport(std::unique_ptr<Transport> real, Rank rank) : real_(std::move(real)), rank_(rank.value) {}
  std::string_view name() const override { return real_->name(); }
  std::string library_version() const override { return real_->library_version(); }
  std::optional<std::string> objection(const Settings& settings, const Collective& collective) const override {
    return real_->objection(settings, collective);
  }
  std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) override {
    auto channel = real_->open(members, settings);
    const Fault fault = fault_from_environment();
    if (fault.rank != rank_) return channel;
    return std::make_unique<FaultyChannel>(std::move(channel), fault);
  }

 private:
  std::unique_ptr<Transport> real_;
  int rank_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  const auto outfit = [](const Seat& seat, const Wanted& wanted) {
    Equipment equipment = equip(seat, wanted);
    equipment.transport = std::make_unique<FaultyTransport>(std::move(equipment.transport), seat.rank());
    return equipment;
  };
  return busbar::mpi_main(argc, argv, outfit, busbar::mpi::ThisMachine());
}
