/* Numbers for names, in order, so that a build gives the same bytes in any folder; what both the views and the panel need
 * is there once. What the builder leaves for itself goes: a copy of package.json, and the list of the licences of code
 * from elsewhere, while there is none. */
const { readFileSync, rmSync } = require('fs');
const { join } = require('path');

const BUILT = join(__dirname, 'labextension');
const LICENSES = join(BUILT, 'static/third-party-licenses.json');

function tidy() {
  rmSync(join(BUILT, 'schemas/cutaway-lab/package.json.orig'), { force: true });
  if (JSON.parse(readFileSync(LICENSES, 'utf8')).packages.length === 0) {
    rmSync(LICENSES);
  }
}

const shared = { minChunks: 2, minSize: 500, reuseExistingChunk: true };

module.exports = {
  optimization: {
    moduleIds: 'natural',
    chunkIds: 'natural',
    splitChunks: { chunks: 'all', cacheGroups: { default: false, defaultVendors: false, shared } }
  },
  plugins: [{ apply: compiler => compiler.hooks.done.tap('tidy', stats => stats.hasErrors() || tidy()) }]
};
