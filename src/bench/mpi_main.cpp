#include "bench/mpi_main.h"

#include <fmt/format.h>

#include <csignal>
#include <optional>

#include "bench/command_line.h"
#include "bench/mpi_aggregate.h"
#include "bench/mpi_failure.h"
#include "bench/mpi_worker.h"
#include "transport/mpi_control.h"
#include "transport/mpi_orders.h"

namespace busbar {
namespace {

Nanoseconds init_limit(const CommandLine& line) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(line.init_deadline_seconds));
}

void dismiss_aggregators(const mpi::World& world) {
  const mpi::AggregatorOrders orders(world.everyone());
  for (int p = world.workers(); p < static_cast<int>(world.processes().size()); ++p) orders.dismiss(ProcessId{p});
}

/// One process's life between MPI's start and end.
ExitCode live(const CommandLine& line, const mpi::World& world, const Machine& machine, Progress& progress,
              double init_us, const Outfitter& outfit) {
  const Role role = line.mode == Mode::aggregate ? Role::aggregator : Role::worker;
  mpi::MpiControl all(world.everyone());
  const Introductions everyone = introduce(all, machine, role, init_us);
  if (role == Role::aggregator) {
    aggregate(world, machine, progress);
    return ExitCode::holds;
  }
  const ExitCode code = work({line, world, machine, everyone, outfit, init_limit(line)}, progress);
  if (world.self() == ProcessId{0}) dismiss_aggregators(world);
  return code;
}

}  // namespace

int mpi_main(int argc, char** argv, const Outfitter& outfit, const Machine& machine) {
  const bool loud = machine.speaks_for_launch();
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
  const Clock& clock = machine.clock();
  const Nanoseconds begin = clock.now();
  Progress progress(begin, init_limit(*line));
  const Role role = line->mode == Mode::aggregate ? Role::aggregator : Role::worker;
  const auto watchdog = machine.watch(progress, role);
  try {
    const mpi::Session session(&argc, &argv, line->wanted.threads);
    const double init_us = as_us(clock.now() - begin);
    try {
      const mpi::World world(role, machine.name(), line->wanted.threads);
      progress.set_rank(ProcessId{world.self().value * world.threads()});
      return static_cast<int>(live(*line, world, machine, progress, init_us, outfit));
    } catch (const std::exception& problem) {
      end_launch(machine, role, progress, problem);
    }
  } catch (const Error& problem) {
    fmt::print(stderr, "busbar-bench: {}\n", problem.what());
    return static_cast<int>(problem.code());
  }
}

}  // namespace busbar
