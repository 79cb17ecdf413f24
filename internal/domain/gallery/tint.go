package gallery

import (
	"image"
	"image/color"
	"math"
	"strconv"
)

// tinted draws a cut-out in another colour: it keeps its light and shade, and takes hue and most of the strength of the
// tint. What is nearly white or black stays, so that glass, paper and laces do.
func tinted(cutout image.Image, tint string) image.Image {
	value, err := strconv.ParseUint(tint, 16, 32)
	if err != nil {
		return cutout // The table's check keeps anything else out.
	}
	hue, strength, light := toHSL(float64(value>>16&255)/255, float64(value>>8&255)/255, float64(value&255)/255)
	b := cutout.Bounds()
	out := image.NewNRGBA(b)
	middle := meanLight(cutout)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(cutout.At(x, y)).(color.NRGBA)
			if c.A == 0 {
				continue
			}
			r, g, bl := float64(c.R)/255, float64(c.G)/255, float64(c.B)/255
			_, _, l := toHSL(r, g, bl)
			// The middle of the object comes out at the tint's own lightness; lights and darks keep their distance.
			target := math.Max(0.04, math.Min(0.97, light+(l-middle)*0.95))
			tr, tg, tb := fromHSL(hue, strength, target)
			keep := 0.12
			if l > 0.93 {
				keep = 0.12 + (l-0.93)/0.07*0.6
			} else if l < 0.12 {
				keep = 0.12 + (0.12-l)/0.12*0.6
			}
			mix := func(own, new float64) uint8 { return uint8(math.Round(255 * (own*keep + new*(1-keep)))) }
			out.SetNRGBA(x, y, color.NRGBA{mix(r, tr), mix(g, tg), mix(bl, tb), c.A})
		}
	}
	return out
}

func meanLight(picture image.Image) float64 {
	b := picture.Bounds()
	var sum, weight float64
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			_, _, l := toHSL(float64(c.R)/255, float64(c.G)/255, float64(c.B)/255)
			sum += l * float64(c.A)
			weight += float64(c.A)
		}
	}
	if weight == 0 {
		return 0.5
	}
	return sum / weight
}

// toHSL and fromHSL are the usual formulas; all values from 0 to 1.
func toHSL(r, g, b float64) (h, s, l float64) {
	high, low := math.Max(r, math.Max(g, b)), math.Min(r, math.Min(g, b))
	l = (high + low) / 2
	if high == low {
		return 0, 0, l
	}
	d := high - low
	s = d / (1 - math.Abs(2*l-1))
	switch high {
	case r:
		h = math.Mod((g-b)/d+6, 6)
	case g:
		h = (b-r)/d + 2
	default:
		h = (r-g)/d + 4
	}
	return h / 6, s, l
}

func fromHSL(h, s, l float64) (r, g, b float64) {
	c := (1 - math.Abs(2*l-1)) * s
	x := c * (1 - math.Abs(math.Mod(h*6, 2)-1))
	m := l - c/2
	switch int(h * 6) {
	case 0:
		r, g, b = c, x, 0
	case 1:
		r, g, b = x, c, 0
	case 2:
		r, g, b = 0, c, x
	case 3:
		r, g, b = 0, x, c
	case 4:
		r, g, b = x, 0, c
	default:
		r, g, b = c, 0, x
	}
	return r + m, g + m, b + m
}
