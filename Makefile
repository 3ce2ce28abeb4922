# attune: the tasks of a working day. `make demo` and `make test` are all that a fresh machine needs.

BINARY := target/release/attune

.PHONY: help demo serve test test-rust-bert lint lint-rust-bert bench bench-parts bench-backends build runtime openvino libtorch fp32 train fuzz clean

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

runtime: ## fetch the pinned ONNX Runtime into .runtime/
	@scripts/fetch-runtime.sh

openvino: runtime ## fetch the pinned OpenVINO plugin into .runtime/openvino/ (devices of Intel; 150 MB)
	@scripts/fetch-openvino.sh
libtorch: ## fetch the pinned libtorch into .libtorch/, for --features rust-bert (800 MB)
	@scripts/fetch-libtorch.sh

fp32: ## write the embedded model in float32 into .weights/, for comparisons
	@scripts/float32-weights.sh

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

test-rust-bert: runtime libtorch fp32 ## the rust-bert backend: its own tests, with the feature
	cargo test --locked --features rust-bert --test rust_bert

lint: ## formatting, clippy, docs, protobuf
	cargo fmt --all -- --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	@scripts/proto-lint.sh

lint-rust-bert: libtorch ## clippy with the feature rust-bert
	cargo clippy --locked --features rust-bert --lib --bins --test rust_bert --bench backends -- -D warnings

bench: runtime ## the service against the raw engine; JSON in bench-results/
	cargo bench --locked --bench service

bench-parts: ## criterion benches of the parts
	cargo bench --locked --bench parts

bench-backends: runtime libtorch fp32 ## the same network in ONNX int8, ONNX float32 and rust-bert
	cargo bench --locked --features rust-bert --bench backends

train: ## the whole training recipe: make train DATA=<public data sets> (hours on a CPU)
	@test -n "$(DATA)" || { echo "make train DATA=<directory with the public data sets>" >&2; exit 1; }
	scripts/train.sh "$(DATA)"

clean: ## remove what was built and fetched
	cargo clean
	rm -rf .runtime .libtorch .weights node_modules bench-results

fuzz: ## fuzz one target for a while: make fuzz TARGET=text SECONDS=60 (needs cargo-fuzz)
	RUSTC_BOOTSTRAP=1 cargo fuzz run $(or $(TARGET),text) -- -max_total_time=$(or $(SECONDS),60)
