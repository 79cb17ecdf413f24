package ui

import (
	"context"

	"counterpart/internal/platform/text"
)

// Said is what is wrong with a field, in the page's language; empty where nothing is.
func Said(ctx context.Context, fields map[string]text.Message, name string) string {
	if message, ok := fields[name]; ok {
		return message.In(text.Language(ctx))
	}
	return ""
}
