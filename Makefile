# Everything that one does with Virfie, in one word each; each target installs what it lacks.
#
#   ARGS=…              arguments for `virfie serve`, `virfie model eval` or training, for instance  make run ARGS='--listen 0.0.0.0:8080 --tls self-signed'
#   DATA=…              the folder of pictures for `make eval` and `make train` (default: ../shared/data)
#   CARGO_TARGET_DIR=…  where compiled things go (default: target)
#
# There is one compile profile, release: the segmentation is of no use without optimisation, and so its engine is
# compiled once for the server, the tests and the benches.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-rust setup-test setup-browser setup-clients model web api build run demo test test-web test-rust test-docs docs-pictures test-browser test-network test-clients test-lines soak fuzz lint bench eval train plugin deb test-deb clean

# Where rustup puts cargo, for shells that were started before.
export PATH := $(PATH):$(HOME)/.cargo/bin
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
ARGS ?=
DATA ?= ../shared/data

VIRFIE := $(CARGO_TARGET_DIR)/release/virfie
RUST := 1.92

# What compiles and runs the server, on Debian 12 and 13 and Ubuntu 24.04.
PACKAGES := build-essential cmake pkg-config curl ca-certificates \
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev \
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly \
    gstreamer1.0-libav gstreamer1.0-nice gstreamer1.0-tools
# What the tests run beside it: an RTMP server, and tools that look into what comes out.
TEST_PACKAGES := ffmpeg jq nginx libnginx-mod-rtmp

WEB_SOURCES := $(shell find web/src web/public -type f) web/index.html web/tsconfig.json web/vite.config.ts web/pack.mjs
# A file that only a real build of the page leaves, unlike the page that build.rs puts there when the real one is missing.
PAGE := web/dist/favicon.svg

help: ## shows this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: setup-rust ## installs what building needs: system packages, node; checks Rust
	@.ci/apt-install $(PACKAGES) \
	    $$(node -e 'process.exit(parseInt(process.versions.node) < 18)' 2>/dev/null || echo nodejs) \
	    $$(command -v npm >/dev/null || echo npm)

setup-rust:
	@.ci/rust $(RUST)

setup-test: setup ## installs what the tests need beyond that: nginx with RTMP, ffmpeg, jq
	@.ci/apt-install $(TEST_PACKAGES)

# Ubuntu has Chromium as a snap only, which no package manager of a test machine installs.
setup-browser: setup-test
	@command -v "$${CHROMIUM:-chromium}" google-chrome >/dev/null || \
	    if [[ $$(apt-cache policy chromium) == *'Candidate: '[0-9]* ]]; then .ci/apt-install chromium; else \
	    echo 'There is no Chromium package here: install Google Chrome, or set CHROMIUM=/path/to/it' >&2; exit 1; fi

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci
	@touch $@

tests/browser/node_modules/.package-lock.json: tests/browser/package.json tests/browser/package-lock.json
	cd tests/browser && npm ci
	@touch $@

$(PAGE): $(WEB_SOURCES) web/node_modules/.package-lock.json
	cd web && npm run build
	@touch $@

web: setup ## builds the page, if its sources are newer
	@$(MAKE) --no-print-directory $(PAGE)

api: build ## makes what the page knows of the interface (web/src/generated) from the program's OpenAPI document
	cd web && npm run api -- $(VIRFIE)

build: web ## compiles the server with the page in it
	cargo build --release

model: build ## fetches BodyPix, for who wants it instead of the model in the program: make run ARGS='--model NAME'
	$(VIRFIE) model fetch bodypix-mobilenet-050-16

run: build ## runs the server at http://127.0.0.1:8080/; arguments in ARGS
	$(VIRFIE) serve $(ARGS)

demo: build ## runs the server with three people in the room "demo" and prints its address
	@tests/demo.sh $(VIRFIE) $(ARGS)

test: test-web test-rust test-docs test-browser test-clients ## runs all tests

test-web: setup web/node_modules/.package-lock.json ## runs the page's unit tests and checks its types
	cd web && npm run check && npm test

test-rust: setup-test web ## runs the Rust tests: units, API, architecture, rooms with real peers
	@if cargo nextest --version >/dev/null 2>&1; then \
	    set -x; cargo nextest run --release; \
	else \
	    echo "cargo-nextest is not installed; using cargo test, one test at a time"; \
	    set -x; cargo test --release -- --test-threads=1; \
	fi

test-docs: setup-test build ## runs the commands of README.md and docs, against a real server; looks at alerts, pictures
	VIRFIE_BIN=$(VIRFIE) node --test --test-concurrency=1 --test-reporter=spec tests/docs/*.test.mjs

docs-pictures: setup-test build ## makes the small pictures of docs with the program itself
	VIRFIE_BIN=$(VIRFIE) node tests/docs/pictures/make.mjs $(ARGS)

test-browser: setup-browser build tests/browser/node_modules/.package-lock.json ## runs the tests with real browsers
	@chromium=$$(command -v "$${CHROMIUM:-chromium}" google-chrome | head -n 1); \
	set -x; cd tests/browser && CHROMIUM="$$chromium" VIRFIE_BIN=$(VIRFIE) npm test

# Clients of other makes. Ubuntu has Firefox as a snap only. What cannot be installed is skipped, and the report says so.
CLIENT_PACKAGES := python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
# Where aiortc and FFmpeg's library are, for clients in Python.
CLIENTS := $(CARGO_TARGET_DIR)/clients

tests/clients/node_modules/.package-lock.json: tests/clients/package.json tests/clients/package-lock.json
	cd tests/clients && npm ci
	@touch $@

$(CLIENTS)/installed: tests/clients/requirements.txt
	.ci/apt-install python3-venv
	python3 -m venv --clear $(CLIENTS)
	$(CLIENTS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

setup-clients: setup-browser tests/browser/node_modules/.package-lock.json tests/clients/node_modules/.package-lock.json
	@.ci/apt-install $(CLIENT_PACKAGES) || echo "GStreamer's bindings for Python could not be installed" >&2
	@[[ $$(apt-cache policy firefox-esr) != *'Candidate: '[0-9]* ]] || .ci/apt-install firefox-esr || echo 'Firefox could not be installed' >&2
	@$(MAKE) --no-print-directory $(CLIENTS)/installed || echo 'aiortc could not be installed' >&2

test-clients: setup-clients build ## runs clients of other makes, which send and watch
	@chromium=$$(command -v "$${CHROMIUM:-chromium}" google-chrome | head -n 1); \
	set -x; cd tests/clients && CHROMIUM="$$chromium" VIRFIE_BIN=$(VIRFIE) AIORTC_PYTHON=$(CLIENTS)/bin/python npm test

# What makes lines that lose packets.
NETWORK_PACKAGES := iproute2 nftables

test-network: setup-browser build tests/browser/node_modules/.package-lock.json ## runs receivers on bad lines, in network namespaces (root)
	@.ci/apt-install $(NETWORK_PACKAGES)
	@chromium=$$(command -v "$${CHROMIUM:-chromium}" google-chrome | head -n 1); \
	set -x; cd tests/network && CHROMIUM="$$chromium" VIRFIE_BIN=$(VIRFIE) node --test --test-reporter=spec receive.test.mjs

test-lines: setup-clients build ## runs clients of other makes on a line that loses packets (root)
	@.ci/apt-install $(NETWORK_PACKAGES)
	@chromium=$$(command -v "$${CHROMIUM:-chromium}" google-chrome | head -n 1); \
	set -x; cd tests/clients && CHROMIUM="$$chromium" VIRFIE_BIN=$(VIRFIE) AIORTC_PYTHON=$(CLIENTS)/bin/python npm run lines

soak: setup-test build tests/clients/node_modules/.package-lock.json ## lets 10,000 senders come and go (20 minutes): make soak ARGS='--joins 1000'
	node tests/soak/joins.mjs $(VIRFIE) $(ARGS)

# It resolves the versions that the program has.
fuzz: setup-rust web ## looks for inputs that break a reader, until one is found: make fuzz TARGET=layouts (nightly, cargo-fuzz)
	cp Cargo.lock tests/fuzz/libfuzzer/
	VIRFIE_FUZZ_CORPUS=$(CURDIR)/tests/fuzz/libfuzzer/corpus cargo test --release --test fuzz corpus
	cargo +nightly fuzz run --fuzz-dir tests/fuzz/libfuzzer $(or $(TARGET),layouts)

lint: setup web/node_modules/.package-lock.json ## checks formatting, types and clippy's advice; nothing is changed
	cargo fmt --all --check
	cd web && npm run check
	cargo clippy --release --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then set -x; cargo deny check bans licenses sources; fi

# Other engines, for one bench alone. Without Python or a network the bench says so and runs without them.
PEERS := $(CARGO_TARGET_DIR)/peers

$(PEERS)/installed: benches/peers/requirements.txt
	.ci/apt-install python3-venv
	python3 -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench: setup web ## measures the hot paths, and the network beside other engines
	@$(MAKE) --no-print-directory $(PEERS)/installed || echo 'ONNX Runtime and OpenVINO could not be installed' >&2
	cargo bench

eval: build ## measures how good masks are, on the pictures in DATA; arguments in ARGS
	$(VIRFIE) model eval --data $(DATA) $(ARGS)

# Where training keeps its Python packages, labels and checkpoints.
WORK ?= $(CARGO_TARGET_DIR)/train
TRAINING := models/train

$(WORK)/installed: $(TRAINING)/requirements.lock
	.ci/apt-install python3-venv
	python3 -m venv --clear $(WORK)/venv
	$(WORK)/venv/bin/pip install --disable-pip-version-check --no-deps --requirement $<
	@touch $@

train: $(WORK)/installed ## trains the model on the pictures in DATA; goes on where it was ended
	$(WORK)/venv/bin/python $(TRAINING)/tests.py $(DATA)
	$(WORK)/venv/bin/python $(TRAINING)/train.py --data $(DATA) --work $(WORK) --output models/virfie-seg.onnx $(ARGS)
	$(WORK)/venv/bin/python $(TRAINING)/golden.py models/virfie-seg.onnx models/golden/portrait.png

plugin: setup web ## builds the segmentation element as a GStreamer plugin
	cargo build --release --example gstbodypix
	@install -D -m 644 $(CARGO_TARGET_DIR)/release/examples/libgstbodypix.so $(CARGO_TARGET_DIR)/release/plugin/libgstbodypix.so
	@echo "Try it: GST_PLUGIN_PATH=$(CARGO_TARGET_DIR)/release/plugin gst-inspect-1.0 bodypix"

# What makes a Debian package of what cargo has built.
CARGO_DEB := 3.8.0
# Manual pages and completions.
GENERATED := packaging/generated

deb: setup web ## makes a Debian package, and one with its debug symbols, in target/debian
	@cargo deb --version 2>/dev/null | grep -qwF '$(CARGO_DEB)' || (set -x; cargo install --locked --version $(CARGO_DEB) cargo-deb)
	.ci/release cargo build --release --bin virfie --example gstbodypix --example manuals
	rm -rf $(GENERATED)
	$(CARGO_TARGET_DIR)/release/examples/manuals $(GENERATED)
	.ci/release cargo deb --no-build $$([[ $$(dpkg --print-architecture) != arm64 ]] || echo --variant arm64)

# Debian releases in which the package is tried: make test-deb SUITES=trixie
SUITES ?= bookworm trixie

test-deb: deb ## installs the package in clean Debian 12 and 13 roots, and joins a room there (root)
	@.ci/apt-install debootstrap
	tests/package/install.sh "$$(ls -t $(CARGO_TARGET_DIR)/debian/virfie_*.deb | head -n 1)" $(SUITES)

clean: ## removes everything that was built
	cargo clean
	rm -rf $(GENERATED) web/dist web/node_modules tests/browser/node_modules tests/clients/node_modules
