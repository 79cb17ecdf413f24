// Package gallery draws a product's pictures: photographs in three sizes, cut-outs on the product's quiet ground.
package gallery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // the formats that feeds bring
	"image/jpeg"
	"image/png"
	_ "image/png"
	"io"
	"math"

	"github.com/riverqueue/river"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Job is the drawing of one picture.
type Job struct {
	PictureID int64 `json:"picture_id"`
}

func (Job) Kind() string { return "draw_picture" }

// InsertOpts keeps a large import from holding up the mail.
func (Job) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: jobs.QueuePictures} }

// MaxPixels of an original: more is refused before it is unpacked.
const MaxPixels = 50_000_000

// MaxBytes of an original.
const MaxBytes = 20 << 20

// StoreOriginal puts an original into the store and answers its key.
func StoreOriginal(store *files.Store, original []byte) (key string, err error) {
	sum := sha256.Sum256(original)
	key = "original-" + hex.EncodeToString(sum[:12])
	return key, store.Put(key, bytes.NewReader(original))
}

// Render makes the sizes of a picture that has none yet. An original that cannot be drawn is recorded as such, which is
// an answer and not an error: trying again would not help.
func Render(ctx context.Context, db pg.DB, store *files.Store, pictureID int64) error {
	p, err := catalog.UndrawnPicture(ctx, db, pictureID)
	if err != nil || p == nil {
		return err
	}
	original, err := read(store, p.Original)
	if err != nil {
		return err
	}
	picture, err := decode(original)
	if err != nil {
		return catalog.NotDrawn(ctx, db, *p, err.Error())
	}
	if narrow(picture) {
		return catalog.NotDrawn(ctx, db, *p, "more than ten times as long as wide")
	}
	picture = upright(picture, orientation(original))
	ground := catalog.Ground(p.Slug)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%d|4|%v", p.Original, p.Tint, ground, p.Crop))
	key := hex.EncodeToString(sum[:10])
	if !hasAlpha(picture) {
		if err := store.Put(key+"-whole.jpg", encoded(resized(picture, wholeWidth))); err != nil {
			return err
		}
		picture = cropped(picture, p.Crop)
	}
	if hasAlpha(picture) && p.Tint != "" {
		picture = tinted(picture, p.Tint)
	}
	for _, width := range catalog.Widths {
		var sized image.Image
		if hasAlpha(picture) {
			sized = onGround(picture, width, grounds[ground])
		} else {
			sized = resized(picture, width)
		}
		if err := store.Put(fmt.Sprintf("%s-%d.jpg", key, width), encoded(sized)); err != nil {
			return err
		}
	}
	return catalog.Drawn(ctx, db, *p, key)
}

// wholeWidth is that of the picture of which a part is chosen.
const wholeWidth = 640

func encoded(picture image.Image) io.Reader {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 84}); err != nil {
		panic(err) // Only of a picture larger than a JPEG can be: ours are smaller.
	}
	return &out
}

// cropped is a part of a photograph at 4:5, as far as there is that much below its top.
func cropped(photo image.Image, c catalog.Crop) image.Image {
	if c.CropWidth == 0 {
		return photo
	}
	b := photo.Bounds()
	width := max(1, b.Dx()*c.CropWidth/1000)
	height := min(width*5/4, b.Dy())
	left, top := b.Min.X+b.Dx()*c.CropLeft/1000, b.Min.Y+min(b.Dy()*c.CropTop/1000, b.Dy()-height)
	part := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(part, part.Bounds(), photo, image.Pt(left, top), draw.Src)
	return part
}

// reading bounds how many uploads are unpacked at once: fifty megapixels take 200 MB.
var reading = make(chan struct{}, 1)

// Accept says what is wrong with a file that somebody uploads as a picture, or keeps it and answers its key. Only what
// is drawn from it is ever shown: whatever else a file carries goes no further.
func Accept(ctx context.Context, store *files.Store, name string, original []byte) (key string, err error) {
	if _, err := open(ctx, name, original); err != nil {
		return "", err
	}
	return StoreOriginal(store, original)
}

// A logo's largest width and height in pixels: three times what the shop's header shows.
const logoWidth, logoHeight = 720, 96

// AcceptLogo says what is wrong with a file that somebody uploads as the shop's logo, or keeps what it shows as a PNG and
// answers its key.
func AcceptLogo(ctx context.Context, store *files.Store, name string, original []byte) (key string, err error) {
	picture, err := open(ctx, name, original)
	if err != nil {
		return "", err
	}
	b := picture.Bounds()
	scale := min(1, float64(logoWidth)/float64(b.Dx()), float64(logoHeight)/float64(b.Dy()))
	logo := image.NewRGBA(image.Rect(0, 0, max(1, int(scale*float64(b.Dx()))), max(1, int(scale*float64(b.Dy())))))
	draw.CatmullRom.Scale(logo, logo.Bounds(), picture, b, draw.Src, nil)
	var out bytes.Buffer
	if err := png.Encode(&out, logo); err != nil {
		return "", fmt.Errorf("write a logo: %w", err)
	}
	sum := sha256.Sum256(out.Bytes())
	key = "logo-" + hex.EncodeToString(sum[:12])
	return key, store.Put(key, &out)
}

// open reads a picture that somebody uploads, or says what is wrong with it.
func open(ctx context.Context, name string, original []byte) (image.Image, error) {
	args := text.Args{"name": name}
	switch {
	case len(original) == 0:
		return nil, fault.New(fault.Invalid, "{name} is empty. Choose another file.", args)
	case len(original) > MaxBytes:
		return nil, fault.New(fault.Invalid, "{name} is larger than 20 MB. Make it smaller and try again.", args)
	}
	select {
	case reading <- struct{}{}:
		defer func() { <-reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(original))
	if err != nil {
		return nil, fault.New(fault.Invalid, "{name} isn’t a JPEG, PNG, WebP or GIF picture.", args)
	}
	if config.Width < 1 || config.Height < 1 || config.Width*config.Height > MaxPixels {
		return nil, fault.New(fault.Invalid, "{name} has more than 50 megapixels. Make it smaller and try again.", args)
	}
	picture, err := decode(original)
	if err != nil {
		return nil, fault.New(fault.Invalid, "{name} is damaged. Choose another file.", args)
	}
	if narrow(picture) {
		return nil, fault.New(fault.Invalid, "{name} is more than ten times as long as wide. Choose another picture.", args)
	}
	return picture, nil
}

func read(store *files.Store, key string) ([]byte, error) {
	file, err := store.Open(key)
	if err != nil {
		return nil, fmt.Errorf("open an original: %w", err)
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, MaxBytes))
}

func decode(original []byte) (image.Image, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(original))
	if err != nil {
		return nil, errors.New("not a picture that we can read")
	}
	if config.Width < 1 || config.Height < 1 || config.Width*config.Height > MaxPixels {
		return nil, errors.New("too many pixels")
	}
	picture, _, err := image.Decode(bytes.NewReader(original))
	if err != nil {
		return nil, errors.New("the picture's file is damaged")
	}
	return picture, nil
}

// narrow says that nothing can be made of a picture's shape: its sizes would be higher than a JPEG can be.
func narrow(picture image.Image) bool {
	low, high := min(picture.Bounds().Dx(), picture.Bounds().Dy()), max(picture.Bounds().Dx(), picture.Bounds().Dy())
	return high > 10*low
}

// hasAlpha says whether a picture is a cut-out: its corners show what is behind it.
func hasAlpha(picture image.Image) bool {
	b := picture.Bounds()
	for _, p := range []image.Point{b.Min, {b.Max.X - 1, b.Min.Y}, {b.Min.X, b.Max.Y - 1}, {b.Max.X - 1, b.Max.Y - 1}} {
		if _, _, _, a := picture.At(p.X, p.Y).RGBA(); a > 0x1000 {
			return false
		}
	}
	return true
}

// grounds are the eight tints of the stylesheet's --ground-n in sRGB.
var grounds = [catalog.Grounds]color.RGBA{
	{253, 231, 226, 255},
	{251, 236, 217, 255},
	{243, 242, 219, 255},
	{227, 242, 224, 255},
	{218, 241, 236, 255},
	{221, 240, 250, 255},
	{233, 235, 253, 255},
	{251, 230, 239, 255},
}

// onGround stands a cut-out on its ground, a little below the middle, with a soft shadow where it touches.
func onGround(cutout image.Image, width int, ground color.RGBA) image.Image {
	height := width * 5 / 4
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)

	shape := opaque(cutout)
	scale := 0.64 * float64(width) / float64(max(shape.Dx(), shape.Dy()))
	w, h := int(scale*float64(shape.Dx())), int(scale*float64(shape.Dy()))
	left, bottom := (width-w)/2, int(0.53*float64(height))+max(w, h)/2
	bottom -= (max(w, h) - h) / 3
	shadow(canvas, float64(width)/2, float64(bottom)-0.012*float64(width), 0.40*float64(w), 0.045*float64(width))
	draw.CatmullRom.Scale(canvas, image.Rect(left, bottom-h, left+w, bottom), cutout, shape, draw.Over, nil)
	return canvas
}

// opaque is the part of a cut-out that is not empty, so that all objects stand at one size.
func opaque(cutout image.Image) image.Rectangle {
	b, found := cutout.Bounds(), image.Rectangle{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if _, _, _, a := cutout.At(x, y).RGBA(); a > 0x2000 {
				found = found.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if found.Empty() {
		return b
	}
	return found
}

func shadow(canvas *image.RGBA, cx, cy, rx, ry float64) {
	for y := int(cy - 2*ry); y <= int(cy+2*ry); y++ {
		for x := int(cx - 2*rx); x <= int(cx+2*rx); x++ {
			if !(image.Point{x, y}).In(canvas.Bounds()) {
				continue
			}
			d := math.Hypot((float64(x)-cx)/rx, (float64(y)-cy)/ry)
			dark := 1 - 0.26*math.Exp(-1.9*d*d)
			c := canvas.RGBAAt(x, y)
			canvas.SetRGBA(x, y, color.RGBA{uint8(float64(c.R) * dark), uint8(float64(c.G) * dark),
				uint8(float64(c.B) * dark), 255})
		}
	}
}

func resized(photo image.Image, width int) image.Image {
	b := photo.Bounds()
	width = min(width, b.Dx())
	canvas := image.NewRGBA(image.Rect(0, 0, width, max(1, b.Dy()*width/b.Dx())))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(canvas, canvas.Bounds(), photo, b, draw.Over, nil)
	return canvas
}
