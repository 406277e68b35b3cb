// For Node under wine, which knows no TCP_KEEPIDLE: fetch asks for it before it connects, and so never does.
const { Socket } = require('node:net');

Socket.prototype.setKeepAlive = function () {
  return this;
};

// Links: wine 8 says that it made one and has made none; Windows makes none for an ordinary account, and says so.
const fs = require('node:fs');

const refuse = (target, path) => Object.assign(new Error(`EPERM: operation not permitted, symlink '${target}' -> '${path}'`), { errno: -4048, code: 'EPERM', syscall: 'symlink' });
fs.symlinkSync = (target, path) => {
  throw refuse(target, path);
};
fs.promises.symlink = async (target, path) => fs.symlinkSync(target, path);
fs.symlink = (target, path, ...rest) => process.nextTick(rest.at(-1), refuse(target, path));
require('node:module').syncBuiltinESMExports();
