//go:build shots

package journey

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShots writes a picture of every page where SHOTS says: for people to look at. ONLY is a pattern of the names of
// pages that are wanted, in light colours.
func TestShots(t *testing.T) {
	dir := os.Getenv("SHOTS")
	require.NotEmpty(t, dir, "run make shots")
	p := open(t)
	pages, people := stage(t, p)
	only := regexp.MustCompile(os.Getenv("ONLY"))
	for _, page := range pages {
		if !only.MatchString(page.name) {
			continue
		}
		for _, size := range widths {
			for _, scheme := range []string{"light", "dark"} {
				if os.Getenv("ONLY") != "" && scheme == "dark" {
					continue
				}
				who := people[page.who]
				who.dark(scheme == "dark")
				who.resize(size.width, size.height)
				who.visit(page.path)
				who.eventually("[...document.images].every(i => i.loading === 'lazy' || i.complete)")
				who.shot(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", page.name, size.width, scheme)))
			}
		}
	}
}
