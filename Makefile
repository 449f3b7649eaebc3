# Everything from a bare Debian 12, as root or with sudo. Those who have the packages can use plain
# CMake: cmake --preset dev && cmake --build --preset dev && ctest --preset dev
.PHONY: run test build setup asan tsan fuzz bench docs vscode playground install clean help
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

help:
	@echo 'make run      install what is missing, build, run the flagship example'
	@echo 'make test     install what is missing, build, run all tests'
	@echo 'make build    build only'
	@echo 'make asan     all tests under AddressSanitizer and UBSan'
	@echo 'make tsan     tests of what tables do with threads under ThreadSanitizer'
	@echo 'make fuzz     each fuzz target for FUZZ_SECONDS (60)'
	@echo 'make bench    the benchmarks, against the peers that are installed'
	@echo 'make vscode   the extension for Visual Studio Code: build/couler.vsix'
	@echo 'make playground   the page of `couler playground`: build/share/couler/playground'
	@echo 'make install  the command, its manual page, shell completions and pages to PREFIX (/usr/local)'

setup:
	@sh cmake/install_packages.sh

build/CMakeCache.txt:
	cmake --preset dev

build: build/CMakeCache.txt
	cmake --build --preset dev --parallel $(JOBS)

run: setup build/CMakeCache.txt
	cmake --build --preset dev --parallel $(JOBS) --target couler
	cd examples/digits && ../../build/bin/couler run digits.cwl --report digits.html

test: setup build
	ctest --preset dev --parallel $(JOBS)

asan: setup
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	ctest --preset asan --parallel $(JOBS)

tsan: setup
	cmake --preset tsan
	cmake --build --preset tsan --parallel $(JOBS) --target column_test
	build/tsan/bin/column_test --gtest_filter='*FourThreads*:*FilterAndMap:*Limit:*Arrow*Tables'

FUZZ_SECONDS ?= 60
fuzz:
	@sh cmake/install_packages.sh fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz --parallel $(JOBS) --target fuzzers
	sh tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

bench: setup build
	python3 bench/run.py --build build

vscode:
	@sh cmake/install_packages.sh node
	cd editors/vscode && npm ci
	mkdir -p build
	cd editors/vscode && npm run package -- ../../build/couler.vsix

playground:
	@sh cmake/install_packages.sh node
	cd editors/playground && npm ci
	cd editors/playground && npm run build -- ../../build/share/couler/playground

install: build
	cmake --install build --prefix $(PREFIX)

clean:
	cmake -E rm -rf build
