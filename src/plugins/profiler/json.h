// A communicator's records as one line of JSON.
#pragma once

#include <string>

#include "plugins/profiler/communicator.h"
#include "plugins/report_file.h"

namespace busbar::plugins {

/// One object and a newline; its keys are described in src/plugins/README.md. Unknown values are null. Records are
/// sorted, so that two runs can be compared.
std::string to_json_line(const Process& process, const Communicator& communicator);

}  // namespace busbar::plugins
