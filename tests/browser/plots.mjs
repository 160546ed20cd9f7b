// plots.mjs: figures written by hand, and places on their canvases, for the tests of views/{bars,histogram,lines,scatter}.mjs.

function packed(bytes, encoding, shape) {
  return { encoding, shape, base64: Buffer.from(bytes.buffer).toString('base64') };
}

export const f32 = (values, shape) => packed(Float32Array.from(values), 'f32', shape);
export const u8 = (values, shape) => packed(Uint8Array.from(values), 'u8', shape);
export const u16 = (values, shape) => packed(Uint16Array.from(values), 'u16', shape);

/** The numbers of a figure that the program sent. */
export function floats({ base64, encoding }) {
  const bytes = Buffer.from(base64, 'base64');
  if (encoding !== 'f32') throw new Error(`not f32 but ${encoding}`);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

export function figure(kind, members) {
  return {
    schema: `cutaway.${kind}.v1`, language: 'en', title: `A figure of ${kind}`, note: '', finding: 'It is so.',
    caption: 'Read it from left to right.', alt: `A figure of ${kind}, made by hand`, provenance: 'by hand', ...members
  };
}

/** The canvas that takes mouse and keyboard, on the page. */
export async function plot(bare) {
  const canvas = bare.page.locator('.cutaway-over');
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  return {
    canvas, box,
    hover: (x, y) => bare.page.mouse.move(box.x + x, box.y + y),
    click: (x, y) => bare.page.mouse.click(box.x + x, box.y + y),
    drag: async (corners, key) => {
      const [first, ...rest] = corners;
      await bare.page.mouse.move(box.x + first[0], box.y + first[1]);
      if (key) await bare.page.keyboard.down(key);
      await bare.page.mouse.down();
      for (const [x, y] of rest) await bare.page.mouse.move(box.x + x, box.y + y, { steps: 4 });
      await bare.page.mouse.up();
      if (key) await bare.page.keyboard.up(key);
    },
    press: async (...keys) => {
      await canvas.focus();
      for (const key of keys) await bare.page.keyboard.press(key);
    }
  };
}

/** What is said at each of many places of the canvas, quicker than a mouse could go there. */
export function saidAt(bare, places) {
  return bare.page.evaluate(all => {
    const canvas = document.querySelector('.cutaway-over');
    const said = document.querySelector('.cutaway-said');
    const { left, top } = canvas.getBoundingClientRect();
    return all.map(([x, y]) => {
      canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: left + x, clientY: top + y }));
      return said.textContent;
    });
  }, places);
}

export const settled = bare => bare.page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Of every column of the picture: how many pixels have the colour, and the middle of them. */
export async function columnsOf(bare, colour) {
  await settled(bare);
  return bare.page.evaluate(([r, g, b]) => {
    const canvas = document.querySelector('.cutaway-layers canvas');
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: width }, (_none, x) => {
      let [count, sum] = [0, 0];
      for (let y = 0; y < height; y++) {
        const at = 4 * (y * width + x);
        if (Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24) [count, sum] = [count + 1, sum + y];
      }
      return { x, count, middle: count ? sum / count : NaN };
    });
  }, [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16)));
}

/** The same of every row. */
export async function rowsOf(bare, colour) {
  await settled(bare);
  return bare.page.evaluate(([r, g, b]) => {
    const canvas = document.querySelector('.cutaway-layers canvas');
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: height }, (_none, y) => {
      let count = 0;
      for (let x = 0; x < width; x++) {
        const at = 4 * (y * width + x);
        count += Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24;
      }
      return count;
    });
  }, [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16)));
}

/** How far points x, y are from a straight line at most, upwards. */
export function bend(points) {
  const [a, b] = [points[0], points[points.length - 1]];
  return Math.max(...points.map(([x, y]) => Math.abs(y - (a[1] + ((x - a[0]) / (b[0] - a[0])) * (b[1] - a[1])))));
}
