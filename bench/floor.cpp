// The least that emitting the layered graph can cost: its YAML printed from two loops, with no
// source, no graph and no checks. Usage: floor STEPS > out.yaml
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 100000;
  const int width = steps / 10;
  std::string out =
      "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n  generateName: layered-\n"
      "spec:\n  entrypoint: main\n  templates:\n  - name: main\n    dag:\n      tasks:\n";
  const int strides[] = {0, 1, 7};
  for (int layer = 0; layer < 10; ++layer) {
    for (int i = 0; i < width; ++i) {
      out += "      - name: layer-" + std::to_string(layer) + "-" + std::to_string(i) +
             "\n        template: mix\n        arguments:\n          parameters:\n";
      for (int k = 0; k < 3; ++k) {
        const int from = (i + strides[k]) % width;
        out += std::string("          - name: ") + static_cast<char>('a' + k) +
               "\n            value: ";
        out += layer == 0 ? std::to_string(i) + "\n"
                          : "'{{tasks.layer-" + std::to_string(layer - 1) + "-" +
                                std::to_string(from) + ".outputs.parameters.value}}'\n";
      }
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}
