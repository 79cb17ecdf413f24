package internal

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var named = regexp.MustCompile("`((?:internal|web|cmd|migrations|docs)/[\\w./-]+?)(?:\\.Test\\w+)?`")

// A document that sends somebody to a file that is not there is worse than none.
func TestDocumentsNameFilesThatExist(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	found := 0
	for _, document := range append(documents, "../README.md") {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			_, err := os.Stat("../" + m[1])
			assert.NoError(t, err, "%s names %s", document, m[1])
		}
	}
	require.Greater(t, found, 60)
}
