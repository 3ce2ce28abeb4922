# attune: the tasks of a working day. `make demo` and `make test` are all that a fresh machine needs.

BINARY := target/release/attune

.PHONY: help demo serve test lint bench bench-parts build runtime openvino train fuzz clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

runtime: ## fetch the pinned ONNX Runtime into .runtime/
	@scripts/fetch-runtime.sh

openvino: runtime ## fetch the pinned OpenVINO plugin into .runtime/openvino/ (devices of Intel; 150 MB)
	@scripts/fetch-openvino.sh

build: ## build the release binary
	cargo build --release --locked --bin attune

demo: runtime build ## start the service, score real examples over gRPC, print them, stop it
	@scripts/demo.sh $(BINARY)

serve: runtime build ## run the service on 127.0.0.1:50051, metrics on :9464
	$(BINARY) serve

test: runtime ## run every test
	@if command -v cargo-nextest >/dev/null 2>&1; \
	  then cargo nextest run --locked --lib --bins --tests --no-fail-fast; \
	  else cargo test --locked --lib --bins --tests; fi
	@scripts/python-check.sh
	@scripts/s3-check.sh
	@scripts/report-check.sh

lint: ## formatting, clippy, docs, protobuf
	cargo fmt --all -- --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	@scripts/proto-lint.sh

bench: runtime ## the service against the raw engine; JSON in bench-results/
	cargo bench --locked --bench service

bench-parts: ## criterion benches of the parts
	cargo bench --locked --bench parts

train: ## the whole training recipe: make train DATA=<public data sets> (hours on a CPU)
	@test -n "$(DATA)" || { echo "make train DATA=<directory with the public data sets>" >&2; exit 1; }
	scripts/train.sh "$(DATA)"

clean: ## remove what was built and fetched
	cargo clean
	rm -rf .runtime node_modules bench-results

fuzz: ## fuzz one target for a while: make fuzz TARGET=text SECONDS=60 (needs cargo-fuzz)
	RUSTC_BOOTSTRAP=1 cargo fuzz run $(or $(TARGET),text) -- -max_total_time=$(or $(SECONDS),60)
