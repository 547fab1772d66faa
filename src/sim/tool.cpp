// SMPI has no tool interface, so there is no control variable to find.
#include <fmt/format.h>

#include "core/error.h"
#include "transport/mpi_tool.h"

namespace busbar::mpi {
namespace {

[[noreturn]] void refuse(const std::string& name) {
  throw UsageError(fmt::format("SimGrid's MPI has no control variable '{}'", name));
}

}  // namespace

ToolInterface::ToolInterface() = default;
ToolInterface::~ToolInterface() = default;
bool ToolInterface::has_variable(const std::string& /*name*/) const { return false; }
void ToolInterface::write(const std::string& name, const std::string& /*text*/) const { refuse(name); }
std::string ToolInterface::read(const std::string& name) const { refuse(name); }

ScopedVariable::ScopedVariable(const ToolInterface& tool, std::string name, const std::string& value)
    : tool_(tool), name_(std::move(name)) {
  tool_.write(name_, value);
}

ScopedVariable::~ScopedVariable() = default;

}  // namespace busbar::mpi
