// A group's calls as one line of JSON.
#pragma once

#include <string>

#include "plugins/mpi_capture/store.h"
#include "plugins/report_file.h"

namespace busbar::plugins {

/// One object and a newline; its keys are described in src/plugins/README.md.
std::string to_json_line(const Process& process, const RankGroup& group);

}  // namespace busbar::plugins
