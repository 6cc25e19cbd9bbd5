"""The screens: Flask over the station's and the centre's APIs. No state that matters lives here, and no sentence."""
