package internal

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors of the shop, from the ground. A package imports lower floors, and on its own floor the names to its left.
var floors = []string{
	"money text fault geo postal phone",
	"pg jobs files live secret limit passkey sandbox",
	"location tax customer staff session delivery quote",
	"catalog message gallery",
	"inventory promotion giftcard credit loyalty task",
	"cart",
	"order payment gateway document",
	"basket profile browse desk office",
	"settle billing pickup dispatch checkout shopping stocktake returns setup intake person account privacy personnel",
	"audit demo sample",
	"work",
}

// Helpers that belong to a floor's package, and tests' own.
var beside = map[string]string{"pg/pgtest": "pg", "pg/pgtest/with": "pg", "message/catcher": "message", "sandbox/sandboxtest": "gateway", "gateway/stripetest": "gateway"}

func TestFloors(t *testing.T) {
	place := map[string]int{}
	n := 0
	for _, floor := range floors {
		for _, name := range strings.Fields(floor) {
			n++
			place[name] = n
		}
	}
	audiences := map[string]bool{"shop": true, "counter": true, "admin": true, "door": true, "dev": true}
	blind := map[string]bool{"ui": true, "part": true, "layout": true}

	for _, p := range list(t) {
		room, inside := strings.CutPrefix(p.ImportPath, "counterpart/internal/")
		if owner, ok := beside[room]; ok {
			room = owner
		}
		if inside {
			require.NotZero(t, place[room], "%s is on no floor: add it to the list", p.ImportPath)
		}
		window, _ := strings.CutPrefix(p.ImportPath, "counterpart/web/")
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, "counterpart/internal/")
			if owner, ok := beside[below]; ok {
				below = owner
			}
			if inside {
				require.False(t, strings.HasPrefix(imported, "counterpart/web"), "%s knows of browsers: %s", p.ImportPath, imported)
				require.False(t, ours && below != room && place[below] > place[room], "%s imports upward: %s", p.ImportPath, imported)
			}
			if blind[window] {
				require.NotEqual(t, "counterpart/internal/pg", imported, "views cannot query: %s", p.ImportPath)
				require.False(t, strings.HasPrefix(imported, "github.com/jackc/pgx"), "views cannot query: %s", p.ImportPath)
			}
			if other, ok := strings.CutPrefix(imported, "counterpart/web/"); ok {
				require.False(t, audiences[window] && audiences[other] && window != other, "audiences never import each other: %s, %s", p.ImportPath, imported)
				require.False(t, window == "ui" && other != "static", "ui knows no other room: %s", imported)
			}
			require.False(t, window == "ui" && ours && below != "text", "ui knows no domain package: %s", imported)
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) (all []listed) {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "counterpart/...")
	out, err := command.Output()
	require.NoError(t, err)
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}
