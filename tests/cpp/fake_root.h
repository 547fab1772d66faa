// A folder that stands in for /proc, /sys or /etc: made for one test, gone with it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

namespace busbar::fake {

class FakeRoot {
 public:
  FakeRoot() {
    std::string pattern = (std::filesystem::temp_directory_path() / "busbar-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = pattern;
  }
  ~FakeRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  std::string path(const std::string& below = "") const { return (root_ / below).string(); }

  void write(const std::string& below, const std::string& text) const {
    std::filesystem::create_directories((root_ / below).parent_path());
    std::ofstream(root_ / below) << text;
  }
  void link(const std::string& below, const std::string& target) const {
    std::filesystem::create_directories((root_ / below).parent_path());
    std::filesystem::create_symlink(target, root_ / below);
  }
  void remove(const std::string& below) const { std::filesystem::remove_all(root_ / below); }

 private:
  std::filesystem::path root_;
};

/// The text of a file in tests/data.
inline std::string test_data(const std::string& name) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path().parent_path() / "data" / name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace busbar::fake
