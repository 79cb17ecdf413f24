package admin

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An action that has no words is a machine's word on the page of the audit trail.
func TestEveryActionOfTheTrailHasWords(t *testing.T) {
	written := regexp.MustCompile(`(?:Action: +|entry\(at, |change\(ctx, db, at, person, |change\(ctx, db, at, |device\(ctx, db, deviceID, locationID, by, |own\(ctx, db, at, )"([a-z_]+\.[a-z_]+)"`)
	found := 0
	require.NoError(t, filepath.WalkDir(filepath.Join("..", "..", "internal"),
		func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range written.FindAllStringSubmatch(string(source), -1) {
				found++
				require.Contains(t, actions, m[1], "%s", path)
			}
			for _, m := range regexp.MustCompile(`log\(ctx, tx, at, "([a-z_]+)"`).FindAllStringSubmatch(string(source),
				-1) {
				found++
				require.Contains(t, actions, "promotion."+m[1], "%s", path)
			}
			return err
		}))
	require.Greater(t, found, 25)
}
