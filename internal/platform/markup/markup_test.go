package markup_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/markup"
)

func TestMarkdownIsShown(t *testing.T) {
	require.Equal(t, "<h2>Care</h2>\n<ul>\n<li><strong>Hand</strong> wash</li>\n</ul>\n",
		markup.HTML("# Care\n\n- **Hand** wash"))
	require.Equal(t, "<p>One</p>\n<p>Two &amp; a half</p>\n", markup.HTML("One\n\nTwo & a half"))
	require.Equal(t, "<p>Plain</p>\n<p>text</p>\n", markup.HTML("Plain\n\n\n\ntext"))
	require.Contains(t, markup.HTML("[Returns](/pages/returns)"), `<a href="/pages/returns"`)
}

func TestNothingInATextRuns(t *testing.T) {
	for _, attack := range []string{"<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
		"[x](javascript:alert(1))", "[x](data:text/html;base64,PHNjcmlwdD4=)", "<svg/onload=alert(1)>",
		"<a href='java\tscript:alert(1)'>x</a>", "![x](javascript:alert(1))", "<style>*{display:none}</style>",
		"<p onclick=alert(1)>x</p>", "<iframe src=//evil.example></iframe>", "[a]: javascript:alert(1)\n\n[a]",
		"<form action=/x><button>b</button></form>"} {
		made := strings.ToLower(markup.HTML(attack))
		for _, sign := range []string{"<script", "onerror=", "javascript:", "data:", "<svg", "<style", "onclick=", "<iframe", "<img", "<form"} {
			require.NotContains(t, strings.ReplaceAll(made, "&lt;", ""), sign, attack)
		}
	}
}

func BenchmarkHTML(b *testing.B) {
	for b.Loop() {
		markup.HTML("# Care\n\n- **Hand** wash")
	}
}
