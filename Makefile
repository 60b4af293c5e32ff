# `make help` lists the targets. Everything that is needed beyond Go, Node.js 20.19 and npm is fetched by the targets
# themselves, pinned by go.sum and package-lock.json.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
LDFLAGS := -X main.version=$(VERSION)

# Packages whose tests start the built product; they have a target of their own.
E2E := ./internal/e2e/...
# End-to-end tests for the night: waves of hostile bodies whose memory is measured and long absences take minutes.
NIGHTLY := TestFailoverSoak|TestOperationsDocument|TestScaleOut|TestNoisyNeighbour|TestDenseBodies|TestDenseAgentBodies|TestGRPCBombs|TestAgentBombs|TestStreamBombs|TestKillBeforeSync|TestEngineAway|TestBusFrozen|TestEngineFrozen|TestQueueFull|TestDiskWithoutAByte|TestBombs|TestMutations|TestStreamMutations|TestGRPCMutations|TestPoison|TestBusRestart|TestKillWriter
# Expanded where it is used, so that `make help` starts no Go command.
PACKAGES = $$(go list ./... | grep -v /internal/e2e)
# Packages whose tests with random data go round few times, and more often at night; see testkit.Rounds.
RANDOM := ./internal/engine ./internal/store ./querier/...
# Packages in which many goroutines share state; CI runs these under the race detector, `make race` runs all.
CONCURRENT := ./ingest ./ingest/quota ./ingest/ledger ./ingest/hadedup ./ingest/otlpgrpc ./ingest/syslog/... ./ingest/forward \
	./internal/bus ./internal/httpx ./internal/seal ./alerting ./querier/logtail \
	./querier/logfilter ./ingest/patterns

CONSOLE_SOURCES := $(shell find console/src console/public console/build docs/runbooks -type f) \
	console/index.html console/vite.config.ts console/csp.txt console/package.json

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

## Building

.PHONY: build
build: console ## Build bin/seamark with the console inside
	go build -ldflags '$(LDFLAGS)' -o bin/seamark ./cmd/seamark

.PHONY: console
console: console/dist/index.html ## Build the web console, when its sources are newer

console/node_modules/.package-lock.json: console/package-lock.json
	cd console && npm ci --no-audit --no-fund
	touch $@

console/dist/index.html: console/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	cd console && npm run build

# The engine's package is 540 MB, so what counts is whether the lock file's hash is the one that is installed, not times.
.PHONY: engine
engine:
	@scripts/install-engine

.PHONY: tools
tools: bin/tools/golangci-lint

bin/tools/golangci-lint: tools/go.mod
	cd tools && CGO_ENABLED=0 go build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/tools/govulncheck: tools/go.mod
	cd tools && CGO_ENABLED=0 go build -o ../$@ golang.org/x/vuln/cmd/govulncheck

## Running

.PHONY: demo
demo: export SEAMARK_DATA_DIR := $(or $(SEAMARK_DATA_DIR),data/demo)
demo: engine build ## Run everything in one process, with a demo cluster that pushes data
	exec bin/seamark serve --demo

.PHONY: dev
dev: export SEAMARK_DATA_DIR := $(or $(SEAMARK_DATA_DIR),data/dev)
dev: engine build ## Run a server for development; the console with reload runs beside it
	@echo 'The console with hot reload, in another terminal:'
	@echo '  cd console && SEAMARK_URL=http://$(or $(SEAMARK_HTTP_LISTEN),127.0.0.1:4480) npm run dev'
	exec bin/seamark serve --demo --log.level debug

## Testing

# stdmethods is off because Prometheus' chunkenc.Iterator has a Seek that is not io.Seeker's. The vet of all packages is the
# whole one, so that no `go test` below begins with a part of it again.
.PHONY: test
test: engine console ## Vet, unit and integration tests of Go and console
	go vet -stdmethods=false ./...
	go test -vet=off -p 3 -timeout 10m $(PACKAGES)
	cd console && npm run check && npm test

.PHONY: check
check: tools ## What must pass before a commit: format, lint, generated files, tests
	@scripts/check-format
	@scripts/generate-client --check
	bin/tools/golangci-lint run ./...
	$(MAKE) test

.PHONY: race
race: engine console ## All tests under the race detector (long)
	go test -race -p 2 -timeout 40m ./...

.PHONY: race-concurrent
race-concurrent: engine console
	go test -vet=off -race -p 3 -timeout 15m $(CONCURRENT)

.PHONY: e2e
e2e: export SEAMARK_BINARY := $(CURDIR)/bin/seamark
e2e: engine build ## End-to-end tests of the built product, and of the console in a browser
	@scripts/install-chromium
	go test -vet=off -count=1 -p 4 -timeout 20m -skip '$(NIGHTLY)' $(E2E)
	cd console && npm exec --no -- vitest run --project e2e --project pages
	@scripts/demo-e2e

.PHONY: screenshots
screenshots: export SCREENSHOTS := $(abspath $(or $(SCREENSHOTS),data/screenshots))
screenshots: engine build ## Pictures of every page of the console, wide and narrow, light and dark, into SCREENSHOTS (data/screenshots)
	@scripts/install-chromium
	cd console && npm run screenshots

.PHONY: compat
compat: export SEAMARK_BINARY := $(CURDIR)/bin/seamark
compat: engine build ## Other makers' clients against the built product; compares with docs/compatibility.md
	cd internal/e2e/compat && go test -count=1 -timeout 20m ./...

.PHONY: compat-update
compat-update: export SEAMARK_BINARY := $(CURDIR)/bin/seamark
compat-update: engine build ## Rewrite docs/compatibility.md from what other makers' clients find
	cd internal/e2e/compat && go test -count=1 -timeout 30m -tags nightly ./... -update

.PHONY: terraform
terraform: export SEAMARK_BINARY := $(CURDIR)/bin/seamark
terraform: engine build ## Check the Terraform modules; build and vet the provider, and try it with the terraform on the path against the built product
	@command -v terraform >/dev/null || { echo 'The tests need terraform (1.11 or later) on the path.' >&2; exit 1; }
	terraform fmt -check -recursive terraform/modules
	cd terraform/modules/test && go vet ./... && go test -vet=off -count=1 ./...
	cd terraform/provider && go build -o ../../bin/terraform-provider-seamark . && go vet ./... && go test -vet=off -count=1 -timeout 10m ./...

# GOVULNDB is another database than Go's own: an address, or a folder with the entries (data/osv of golang/vulndb).
VULNDB = $(if $(GOVULNDB),-db $(if $(filter /%,$(GOVULNDB)),file://)$(GOVULNDB))

.PHONY: vuln
vuln: bin/tools/govulncheck ## Known faults of the modules that the binary and the Terraform provider call; GOVULNDB is another database than Go's
	bin/tools/govulncheck $(VULNDB) ./...
	cd terraform/provider && ../../bin/tools/govulncheck $(VULNDB) ./...

.PHONY: fuzz
fuzz: engine ## Run every fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

.PHONY: bench
bench: engine build ## Measure ingest and the micro benchmarks, beside the targets
	@scripts/bench

.PHONY: isolation
isolation: engine build ## Measure what a tenant notices of another's heavy queries; SEAMARK_ISOLATION=full takes thirteen minutes
	SEAMARK_BINARY=$(CURDIR)/bin/seamark go test -v -count=1 -run '^$$' -bench Isolation -benchtime 1x -timeout 30m ./internal/bench/isolation

.PHONY: nightly
nightly: engine build ## What takes too long for every push: race, long fuzzing, 200 crashes, benchmarks
	$(MAKE) race
	cd internal/e2e/compat && SEAMARK_BINARY=$(CURDIR)/bin/seamark go test -count=1 -timeout 30m -tags nightly ./...
	$(MAKE) fuzz FUZZTIME=5m
	SEAMARK_ROUNDS=10 go test -count=1 -p 1 -timeout 60m $(RANDOM)
	SEAMARK_COMPLIANCE=full SEAMARK_CRASH_CYCLES=200 SEAMARK_ABUSE_MUTATIONS=100000 SEAMARK_OVERLOAD=full SEAMARK_FAILOVER=full SEAMARK_E2E_READER=on go test -count=1 -timeout 360m $(E2E)
	scripts/install-chromium
	cd console && SEAMARK_PAGES=all SEAMARK_BINARY=$(CURDIR)/bin/seamark npm exec --no -- vitest run --project e2e --project pages
	$(MAKE) terraform
	$(MAKE) charts
	$(MAKE) release-check
	$(MAKE) bench

# The tags leave out the service discovery of cloud providers, hundreds of packages that no configuration of ours names.
.PHONY: charts
charts: ## The charts, the agents' configurations, compose file, unit and image, by Helm's and the collector's own code
	cd deploy/test && go test -count=1 -tags remove_all_sd,enable_kubernetes_sd ./...

## Generated files

.PHONY: golden
golden: engine ## Rewrite golden files under testdata from what the code does now; review the diff
	@scripts/golden

.PHONY: generate
generate: console/node_modules/.package-lock.json ## Rewrite docs/{flags,limits,errors}.md, the Go client, the reference and the console's API types
	go test -count=1 -run '^TestDocs' ./cmd/seamark -update
	scripts/generate-client
	cd console && npm run generate

## Releasing

.PHONY: release
release: console engine ## Archives for three platforms, packages for AWS Lambda, charts and bills of materials of the last commit in dist/, built twice and compared
	@scripts/release-check $(VERSION:-dirty=) dist

.PHONY: release-check
release-check: console engine
	@scripts/release-check $(VERSION:-dirty=)
