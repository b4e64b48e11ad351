import { attachment } from './files.js';

describe('the name of a download', () => {
  it('is there in ASCII and as it is', () => {
    expect(attachment("Bücher 'x'-1.mrc")).toBe(
      `attachment; filename="B_cher 'x'-1.mrc"; filename*=UTF-8''B%C3%BCcher%20%27x%27-1.mrc`,
    );
  });

  it('cannot end its header or begin another', () => {
    expect(attachment('a"\r\nset-cookie: b\\.mrc')).toBe(
      `attachment; filename="a___set-cookie: b_.mrc"; filename*=UTF-8''a%22%0D%0Aset-cookie%3A%20b%5C.mrc`,
    );
  });
});
