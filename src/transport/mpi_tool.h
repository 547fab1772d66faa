// MPI's tool interface: control variables (what a variant sets) and performance variables (what the library counted).
#pragma once

#include <mpi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace busbar::mpi {

/// MPI_T from init to finalize. Control variables are addressed by their full name, e.g. coll_tuned_allreduce_algorithm.
class ToolInterface {
 public:
  ToolInterface();
  ~ToolInterface();
  ToolInterface(const ToolInterface&) = delete;
  ToolInterface& operator=(const ToolInterface&) = delete;
  ToolInterface(ToolInterface&&) = delete;
  ToolInterface& operator=(ToolInterface&&) = delete;

  bool has_variable(const std::string& name) const;
  /// @throws UsageError where `text` is no value of the variable, RuntimeError where MPI refuses.
  void write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;
};

/// Sets a control variable and puts the old value back on destruction.
class ScopedVariable {
 public:
  ScopedVariable(const ToolInterface& tool, std::string name, const std::string& value);
  ~ScopedVariable();
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ScopedVariable(ScopedVariable&&) = delete;
  ScopedVariable& operator=(ScopedVariable&&) = delete;

 private:
  const ToolInterface& tool_;
  std::string name_;
  std::string before_;
};

/// Open MPI's monitoring component, where it was switched on at launch (pml_monitoring_enable): payload bytes this process
/// has sent to each process of MPI_COMM_WORLD since the launch began.
class PeerBytes {
 public:
  PeerBytes();
  ~PeerBytes();
  PeerBytes(const PeerBytes&) = delete;
  PeerBytes& operator=(const PeerBytes&) = delete;
  PeerBytes(PeerBytes&&) = delete;
  PeerBytes& operator=(PeerBytes&&) = delete;

  /// Nothing where the component is off or absent.
  std::optional<std::vector<std::uint64_t>> read() const;

 private:
  MPI_T_pvar_session session_ = MPI_T_PVAR_SESSION_NULL;
  MPI_T_pvar_handle handle_ = MPI_T_PVAR_HANDLE_NULL;
  int count_ = 0;
};

}  // namespace busbar::mpi
