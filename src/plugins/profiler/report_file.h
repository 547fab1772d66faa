// The file that a process's records go to.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "plugins/profiler/json.h"

namespace busbar::plugins {

/// Where BUSBAR_PROFILE_OUT sends a process's records: in a folder (one that exists, or ends in '/'),
/// `<folder>/nccl-<host>-<pid>.jsonl`; otherwise it is the beginning of a path, `<path>-<host>-<pid>.jsonl`.
std::string report_path(const std::string& out, const Process& process);

/// Appends whole lines. Never throws.
class ReportFile {
 public:
  /// Makes the folder and the file, so that what is wrong shows at the beginning and not after hours. `trouble` says
  /// what it was, or is left alone.
  ReportFile(const std::string& path, std::string& trouble);
  void append(const std::string& line) noexcept;

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace busbar::plugins
