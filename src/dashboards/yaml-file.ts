import { Document, isPair, isScalar, visit } from 'yaml';

/** YAML that Grafana's older parser reads the same way, below a comment; functions of the builders are left behind. */
export function yamlFile(content: object, comment: string): string {
  const plain = JSON.parse(JSON.stringify(content)) as object;
  const document = new Document(plain, { version: '1.1' });
  visit(document, {
    Collection(_, node) {
      if (JSON.stringify(node.toJSON()).length <= 80 && node.items.every(isLeaf)) node.flow = true;
    },
    Scalar(_, node) {
      // A bare = has a meaning of its own in YAML 1.1.
      if (node.value === '=') node.type = 'QUOTE_SINGLE';
    },
  });
  return `# ${comment}\n${document.toString({ lineWidth: 0, flowCollectionPadding: true })}`;
}

const isLeaf = (item: unknown) => isScalar(item) || (isPair(item) && isScalar(item.value));
