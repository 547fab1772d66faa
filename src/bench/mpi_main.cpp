#include "bench/mpi_main.h"

#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/command_line.h"
#include "bench/mpi_aggregate.h"
#include "bench/server.h"
#include "measure/watchdog.h"
#include "observe/environment.h"
#include "observe/host.h"
#include "record/jsonl.h"
#include "record/table.h"
#include "transport/mpi_control.h"
#include "transport/mpi_orders.h"

namespace busbar {
namespace {

class MpiRuntime final : public Runtime {
 public:
  MpiRuntime(const mpi::World& world, const Clock& clock, Equipment equipment)
      : equipment_(std::move(equipment)), workers_(world.peers()), clock_(clock), comm_(world.peers()) {}
  Control& workers() override { return workers_; }
  std::unique_ptr<Control> control_of(const std::vector<Rank>& members) override {
    const mpi::Communicator group = mpi::communicator_of(comm_, members);
    return std::make_unique<mpi::MpiControl>(group.get());
  }
  Transport& transport() override { return *equipment_.transport; }
  MemorySpace& memory() override { return *equipment_.memory; }
  MemorySpace* symmetric_memory() override { return equipment_.symmetric_memory.get(); }
  const Clock& clock() override { return clock_; }
  gpu::Device* gpu() override { return equipment_.gpu.get(); }
  std::map<std::string, std::string> versions() override { return equipment_.versions; }
  bool fake() const override { return equipment_.fake; }

 private:
  Equipment equipment_;
  mpi::MpiControl workers_;
  const Clock& clock_;
  MPI_Comm comm_;
};

/// Launchers tell a process its number before MPI_Init; only one process then speaks of a bad command line.
bool speaks_for_launch() {
  for (const char* const variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* const rank = std::getenv(variable)) return std::string_view{rank} == "0";
  }
  return true;
}

std::unique_ptr<RequestSource> open_source(const CommandLine& line, int ranks, std::ifstream& plan) {
  if (line.mode == Mode::serve) return std::make_unique<StreamSource>(std::cin);
  if (line.mode == Mode::sweep) return std::make_unique<ListSource>(sweep_requests(line, ranks));
  plan.open(line.plan_file);
  if (!plan) throw UsageError(fmt::format("cannot read the plan '{}'", line.plan_file));
  return std::make_unique<StreamSource>(plan);
}

ExitCode exit_code_of(const std::exception& problem) {
  const auto* const ours = dynamic_cast<const Error*>(&problem);
  return ours != nullptr ? ours->code() : ExitCode::incomplete;
}

ExitCode serve_launch(MpiRuntime& runtime, const CommandLine& line, Progress& progress, const Introductions& everyone) {
  nlohmann::json launch_answer;
  const Launch launch = survey(runtime, BuildInfo{BUSBAR_VERSION, BUSBAR_COMPILER}, everyone, launch_answer);
  CounterReader counters;
  Visitor visitor(runtime, launch, progress, &counters);

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

void dismiss_aggregators(const mpi::World& world) {
  const mpi::AggregatorOrders orders(world.everyone());
  for (int p = world.workers(); p < static_cast<int>(world.processes().size()); ++p) orders.dismiss(ProcessId{p});
}

/// One process's life between MPI's start and end.
ExitCode live(const CommandLine& line, const mpi::World& world, const Clock& clock, Progress& progress, double init_us,
              const Outfitter& outfit) {
  const Role role = line.mode == Mode::aggregate ? Role::aggregator : Role::worker;
  mpi::MpiControl all(world.everyone());
  const Introductions everyone = introduce(all, role, init_us);
  if (role == Role::aggregator) {
    aggregate(world, clock, progress);
    return ExitCode::holds;
  }
  MpiRuntime runtime(world, clock, outfit(world, line.wanted));
  const ExitCode code = serve_launch(runtime, line, progress, everyone);
  if (runtime.workers().is_root()) dismiss_aggregators(world);
  return code;
}

}  // namespace

int mpi_main(int argc, char** argv, const Outfitter& outfit) {
  const bool loud = speaks_for_launch();
  std::optional<CommandLine> line;
  try {
    line = parse_command_line(argc, argv, loud);
  } catch (const Error& problem) {
    if (loud) fmt::print(stderr, "busbar-bench: {}\n", problem.what());
    return static_cast<int>(problem.code());
  }
  if (!line) return 0;
  if (line->mode == Mode::describe) {
    fmt::print("{}\n", describe(line->describe_ranks));
    return 0;
  }

  // When a peer dies, writing to it fails: then its own end is to be the news, not that of all who wrote to it.
  std::signal(SIGPIPE, SIG_IGN);
  const MonotonicClock clock(ranks_share_cores(environ));
  const auto deadline =
      std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(line->init_deadline_seconds));
  const Nanoseconds begin = clock.now();
  Progress progress(begin, deadline);
  const Role role = line->mode == Mode::aggregate ? Role::aggregator : Role::worker;
  const Watchdog watchdog(progress, clock, WatchdogOptions{.host = host_name(), .role = role});
  try {
    const mpi::Session session(&argc, &argv);
    const double init_us = as_us(clock.now() - begin);
    try {
      const mpi::World world(role, host_name());
      progress.set_rank(world.self());
      return static_cast<int>(live(*line, world, clock, progress, init_us, outfit));
    } catch (const std::exception& problem) {
      // Others may be waiting for this process: the launch ends here, for all.
      const auto number = progress.read().rank;
      fmt::print(stderr, "busbar-bench: {}{} on {}: {}\n", role == Role::worker ? "rank" : "aggregator",
                 number ? fmt::format(" {}", *number) : "", host_name(), problem.what());
      MPI_Abort(MPI_COMM_WORLD, static_cast<int>(exit_code_of(problem)));
    }
  } catch (const Error& problem) {
    fmt::print(stderr, "busbar-bench: {}\n", problem.what());
    return static_cast<int>(problem.code());
  }
  return static_cast<int>(ExitCode::incomplete);
}

}  // namespace busbar
