// What this process called, and what becomes of it.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/mpi_capture/store.h"
#include "plugins/report_file.h"

namespace busbar::plugins {

/// One call, as a wrapper sees it.
struct Seen {
  /// What `elements` are: all of the buffer that nccl-tests counts, one rank's share of it, or nothing that all ranks
  /// agree on.
  enum class Part : std::uint8_t { whole, share, unknown };

  const char* function;
  bool blocking;
  Part part = Part::unknown;
  std::int64_t elements = 0;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Op op = MPI_OP_NULL;
};

/// Everything here is between MPI_Init and MPI_Finalize. Nothing communicates, so that it does not matter which ranks
/// have the library loaded.
class Capture {
 public:
  /// That of this process: MPI's functions have no place to carry one along. It is made in MPI_Init, and never
  /// destroyed, since threads may still call while the process ends.
  static Capture& of_process();

  /// Counts a call that MPI has accepted; its arguments are therefore valid.
  void count(MPI_Comm communicator, const Seen& seen) noexcept;
  /// Writes one line for each group of ranks that anything was counted for.
  void write() noexcept;

 private:
  Capture();
  RankGroup* group_of(MPI_Comm communicator);
  RankGroup* find_group(MPI_Comm communicator);
  static std::string world_ranks_of(MPI_Comm communicator, int ranks);
  void warn(const std::string& trouble) const;

  Process process_;
  std::optional<ReportFile> file_;
  int key_ = MPI_KEYVAL_INVALID;  ///< a communicator's attribute: its group here, found once
  std::mutex mutex_;
  /// By their ranks: communicators that come and go with the same ranks are counted together.
  std::map<std::string, std::unique_ptr<RankGroup>> groups_;
};

}  // namespace busbar::plugins
