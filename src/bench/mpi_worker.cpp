#include "bench/mpi_worker.h"

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/mpi_failure.h"
#include "bench/server.h"
#include "measure/endpoint_control.h"
#include "record/jsonl.h"
#include "record/table.h"
#include "transport/mpi_control.h"
#include "transport/mpi_endpoint.h"

namespace busbar {
namespace {

class MpiRuntime final : public Runtime {
 public:
  MpiRuntime(Controls& controls, const Clock& clock, int threads, Equipment equipment)
      : controls_(controls), clock_(clock), threads_(threads), equipment_(std::move(equipment)) {}
  Control& workers() override { return controls_.workers(); }
  std::unique_ptr<Control> control_of(const std::vector<Rank>& members) override { return controls_.of(members); }
  Transport& transport() override { return *equipment_.transport; }
  MemorySpace& memory() override { return *equipment_.memory; }
  MemorySpace* symmetric_memory() override { return equipment_.symmetric_memory.get(); }
  MemorySpace* hollow_memory() override { return equipment_.hollow_memory.get(); }
  const Clock& clock() override { return clock_; }
  int threads() const override { return threads_; }
  gpu::Device* gpu() override { return equipment_.gpu.get(); }
  std::map<std::string, std::string> versions() override { return equipment_.versions; }
  bool fake() const override { return equipment_.fake; }

 private:
  Controls& controls_;
  const Clock& clock_;
  int threads_;
  Equipment equipment_;
};

std::unique_ptr<RequestSource> open_source(const CommandLine& line, int ranks, std::ifstream& plan) {
  if (line.mode == Mode::serve) return std::make_unique<StreamSource>(std::cin);
  if (line.mode == Mode::sweep) return std::make_unique<ListSource>(sweep_requests(line, ranks));
  plan.open(line.plan_file);
  if (!plan) throw UsageError(fmt::format("cannot read the plan '{}'", line.plan_file));
  return std::make_unique<StreamSource>(plan);
}

ExitCode serve_launch(MpiRuntime& runtime, const WorkerProcess& process, Progress& progress) {
  const CommandLine& line = process.line;
  nlohmann::json launch_answer;
  const Launch launch =
      survey(runtime, process.machine, BuildInfo{BUSBAR_VERSION, BUSBAR_COMPILER}, process.everyone, launch_answer);
  const auto counters = process.machine.counters();
  Visitor visitor(runtime, launch, progress, counters.get());

  std::ifstream plan;
  std::unique_ptr<RequestSource> source;
  std::vector<std::unique_ptr<AnswerSink>> sinks;
  std::vector<AnswerSink*> listeners;
  if (runtime.workers().is_root()) {
    source = open_source(line, runtime.workers().size(), plan);
    if (line.mode == Mode::sweep) {
      sinks.push_back(std::make_unique<Table>(stdout));
    } else {
      sinks.push_back(std::make_unique<JsonLines>());
    }
    if (!line.journal_file.empty()) sinks.push_back(std::make_unique<JsonLines>(line.journal_file));
    for (const auto& sink : sinks) {
      listeners.push_back(sink.get());
      sink->take(launch_answer);
    }
  }
  const Tally tally = serve(runtime, visitor, progress, source.get(), listeners);
  progress.enter(Phase::finish, runtime.clock().now());
  return tally.exit_code();
}

/// One rank from its equipment to its last answer.
ExitCode work_on(const WorkerProcess& process, Controls& controls, int thread, Progress& progress) {
  MpiRuntime runtime(controls, process.machine.clock(), process.world.threads(),
                     process.outfit(Seat{process.world, controls, thread}, process.line.wanted));
  return serve_launch(runtime, process, progress);
}

/// The same on a thread that others of the launch cannot outlive: they wait for its messages, and it for theirs.
ExitCode work_on_thread(const WorkerProcess& process, MPI_Comm processes, int thread, Progress& progress) {
  try {
    mpi::MpiEndpoint endpoint(processes, thread, process.world.threads());
    EndpointControls controls(endpoint);
    return work_on(process, controls, thread, progress);
  } catch (const std::exception& problem) {
    end_launch(process.machine, Role::worker, progress, problem);
  }
}

/// Any thread but the first, which is watched from before MPI's start.
void live_on_thread(const WorkerProcess& process, MPI_Comm processes, int thread) {
  Progress progress(process.machine.clock().now(), process.init_limit);
  progress.set_rank(ProcessId{process.world.self().value * process.world.threads() + thread});
  const auto watchdog = process.machine.watch(progress, Role::worker);
  work_on_thread(process, processes, thread, progress);
}

}  // namespace

ExitCode work(const WorkerProcess& process, Progress& progress) {
  // Simulated, MPI's own collectives are under test as any other setting is, and some of their algorithms would make
  // thousands of messages of one of ours.
  if (process.world.threads() == 1 && !process.machine.clock().simulated()) {
    mpi::MpiControls controls(process.world.peers());
    return work_on(process, controls, 0, progress);
  }
  const mpi::Communicator processes = mpi::duplicate(process.world.peers());
  std::vector<std::jthread> others;
  for (int thread = 1; thread < process.world.threads(); ++thread) {
    others.emplace_back(live_on_thread, std::cref(process), processes.get(), thread);
  }
  return work_on_thread(process, processes.get(), 0, progress);
}

}  // namespace busbar
