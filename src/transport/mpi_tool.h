// MPI's tool interface: the control variables that a variant sets.
#pragma once

#include <mpi.h>

#include <memory>
#include <string>

#include "transport/transport.h"

namespace busbar::mpi {

/// MPI_T from init to finalize. Control variables are addressed by their full name, e.g.
/// coll_tuned_allreduce_algorithm.
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

/// The operation with these variables in force in every call, for a library that reads them there; as it is where the
/// library reads them when a communicator is made.
std::unique_ptr<Operation> under_variables(const Settings& variables, const OperationSpec& spec,
                                           std::unique_ptr<Operation> operation);

}  // namespace busbar::mpi
