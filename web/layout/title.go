package layout

import (
	"context"

	"counterpart/internal/platform/text"
	"counterpart/web/ui"
)

// LanguageOptions are the languages to choose from.
func LanguageOptions(ctx context.Context) (all []ui.Option) {
	for _, language := range text.Offered(ctx) {
		all = append(all, ui.Option{Value: language, Name: text.Name(language)})
	}
	return all
}

func errorTitle(ctx context.Context, status int, id string) string {
	if status == 503 && id == "" {
		return text.T(ctx, "Not open yet")
	}
	switch status {
	case 404:
		return text.T(ctx, "Page not found")
	case 403:
		return text.T(ctx, "No access")
	case 409:
		return text.T(ctx, "This has changed")
	case 503:
		return text.T(ctx, "One moment, please")
	case 429:
		return text.T(ctx, "Too many attempts")
	}
	if status < 500 {
		return text.T(ctx, "That did not work")
	}
	return text.T(ctx, "Something went wrong")
}
