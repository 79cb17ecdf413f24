.DEFAULT_GOAL := help
SHELL := /bin/sh
export GOFLAGS := -trimpath

WEB    := web/node_modules/.package-lock.json
DIST   := web/static/dist/manifest.json
ASSETS := $(wildcard web/static/css/*.css web/static/js/*.js web/static/img/* web/*/*.templ) web/static/build/main.go internal/proof/demo/products.go
WITH   := go run ./internal/platform/pg/pgtest/with

run: build ## bring the shop up with its demo, and print where it is
	@exec bin/counterpart serve

build: $(DIST) ## make bin/counterpart
	@go build -o bin/counterpart ./cmd/counterpart

dev: build ## the shop, rebuilt and reloaded in the browser while you edit
	@go tool templ generate --watch --open-browser=false --proxy=http://localhost:8080 \
	  --watch-pattern='(.+\.go$$)|(.+\.templ$$)|(web/static/(css|js)/.+)' \
	  --cmd="make -s built-and-served"

built-and-served:
	@go run ./web/static/build
	@GOFLAGS= exec go run ./cmd/counterpart serve

reset: ## forget the running shop's data: the next run loads the demo again
	@rm -rf .data

migration: ## an empty migration, up and down: make migration NAME=order_tag
	@test -n "$(NAME)" || { echo "say what it is called: make migration NAME=order_tag"; exit 1; }
	@n=$$(ls migrations | sed -n 's/^0*\([0-9]*\)_.*/\1/p' | sort -n | tail -1); n=$$(printf '%04d' $$((n + 1))); \
	  touch migrations/$${n}_$(NAME).up.sql migrations/$${n}_$(NAME).down.sql; ls migrations/$${n}_$(NAME).*

one: ## the tests of one package, or one test: make one PKG=./internal/flow/settle RUN=TestAHoldEndsOneWay
	@$(WITH) go test -count=1 $(PKG) $(if $(RUN),-run '$(RUN)' -v)

race: $(DIST) ## the tests of internal under the race detector
	@$(WITH) go test -race -count=1 -timeout 20m ./internal/...

test: check browser ## everything that CI runs
	@$(WITH) go test -count=1 -timeout 20m ./...

check: generate ## generated code is current, vet, lint, layering
	@git diff --exit-code --stat -- '*_templ.go' || { echo "generated code is not current: commit what make generate made"; exit 1; }
	@gofmt -l cmd internal migrations web | (! grep .) || { echo "run gofmt on these"; exit 1; }
	@go vet ./...
	@go tool staticcheck ./...
	@go test -count=1 ./internal -run 'Folders|Packages|Handler'

generate: $(DIST) ## write the templates' Go code and put the assets together
	@go tool templ generate -log-level error

torture: browser ## the long form of the races, crashes and properties: hours
	@TORTURE=1 $(WITH) go test -count=1 -v -p 1 -timeout 4h ./internal/domain/quote ./internal/flow/checkout ./internal/flow/settle ./cmd/counterpart ./web

shots: build browser ## a picture of every page, in shots/
	@SHOTS=$(CURDIR)/shots $(WITH) go test -count=1 -timeout 30m -tags shots ./web/journey -run TestShots

bench: build ## measure, side by side with a bare baseline
	@DURABLE=1 $(WITH) go run ./web/bench
	@DURABLE=1 $(WITH) go run ./web/bench lists

audit: build ## prove that the books of the running shop agree
	@bin/counterpart audit

clean: ## take away what was built; the shop's data stays
	@rm -rf bin shots web/node_modules $(filter-out web/static/dist/.keep,$(wildcard web/static/dist/*))

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(WEB): web/package.json web/package-lock.json
	@cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $(WEB)

$(DIST): $(WEB) $(ASSETS)
	@go run ./web/static/build

# The browser tests drive a real one. Where it is missing and can be installed, it is; it is never skipped.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  { echo "the browser tests need Chromium: install it and run again"; exit 1; }

.PHONY: run dev built-and-served reset migration one race build test check generate torture shots bench audit clean help browser
