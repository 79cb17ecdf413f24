package layout

import (
	"context"

	"counterpart/internal/text"
)

func errorTitle(ctx context.Context, status int) string {
	switch status {
	case 404:
		return text.T(ctx, "Not here")
	case 403:
		return text.T(ctx, "Not for this sign-in")
	case 409:
		return text.T(ctx, "That changed a moment ago")
	case 503:
		return text.T(ctx, "Not open yet")
	case 504:
		return text.T(ctx, "A moment, please")
	case 429:
		return text.T(ctx, "Too many tries")
	}
	if status < 500 {
		return text.T(ctx, "That did not work")
	}
	return text.T(ctx, "Our mistake")
}
