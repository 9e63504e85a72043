"""What a fresh sandbox begins with: name to the function that plants it."""

from sandbox.seed.demo import plant

SEEDS = {"demo": plant}
