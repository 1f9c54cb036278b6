package rules

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// maxImagePixel bounds each side of an image.
const maxImagePixel = 8000

// checkImage refuses bytes that are not an image of the format, and an image that is
// too large.
func checkImage(format string, data []byte) error {
	var config image.Config
	var err error
	switch format {
	case "png":
		config, err = png.DecodeConfig(bytes.NewReader(data))
	case "jpeg":
		config, err = jpeg.DecodeConfig(bytes.NewReader(data))
		// Go does not read every kind of JPEG.
		if unsupported := jpeg.UnsupportedError(""); errors.As(err, &unsupported) {
			err = nil
		}
	case "gif":
		config, err = gif.DecodeConfig(bytes.NewReader(data))
	case "webp":
		if len(data) < 16 || string(data[:4]) != "RIFF" || string(data[8:15]) != "WEBPVP8" {
			err = image.ErrFormat
		}
	}
	switch {
	case err != nil:
		return wire.Invalid("The model returned the following errors: The provided image does not match the specified image format.")
	case config.Width > maxImagePixel || config.Height > maxImagePixel:
		return wire.Invalid("The model returned the following errors: At least one of the image dimensions exceed max allowed size: %d pixels", maxImagePixel)
	}
	return nil
}
