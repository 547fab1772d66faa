// The file that a process's records go to, whichever plugin wrote them.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace busbar::plugins {

/// Whose records they are.
struct Process {
  std::string host;
  int pid = 0;
};

Process this_process();

/// Where the user's variable sends a process's records: in a folder (one that exists, or ends in '/'),
/// `<folder>/<kind>-<host>-<pid>.jsonl`; otherwise it is the beginning of a path, `<path>-<host>-<pid>.jsonl`.
std::string report_path(const std::string& out, std::string_view kind, const Process& process);

/// Appends whole lines. Never throws but for want of memory.
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
