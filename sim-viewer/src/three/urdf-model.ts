import { CapsuleGeometry, Mesh, MeshStandardMaterial, Object3D, SphereGeometry, Vector3 } from "three";
import URDFLoader, { type URDFJoint, type URDFLink, type URDFRobot } from "urdf-loader";

/** @file A robot from its URDF. Shapes are drawn where the description has them; bare links become bones. */

export type UrdfModel = {
  readonly object: Object3D;
  /** Mesh files that the description names and a page cannot reach. */
  readonly missingMeshes: number;
  /** Moves the joints that the model has; others are passed over. @param positions rad or m */
  setJoints(names: readonly string[], positions: ArrayLike<number>): void;
  /** The tip for other joint positions than the shown ones, metres. */
  tipAt(names: readonly string[], positions: ArrayLike<number>): Vector3;
  dispose(): void;
};

/** Bones shorter than this are not worth drawing, metres. */
const shortestBoneM = 0.004;
const tipWords = ["tcp", "tool0", "tip", "ee", "gripper", "hand", "flange"];

const boneMaterial = new MeshStandardMaterial({ color: 0xaab6c6, roughness: 0.5 });
const jointMaterial = new MeshStandardMaterial({ color: 0x3c4757, roughness: 0.5 });

const childJoints = (link: Object3D) => link.children.filter((child): child is URDFJoint => "isURDFJoint" in child);
const hasShape = (link: Object3D) =>
  link.children.some((child) => "isURDFVisual" in child && child.children.length > 0);

/** A bone from a link's origin to each joint that hangs on it, with a ball where it moves. */
function addBones(link: URDFLink, radius: number): void {
  for (const joint of childJoints(link)) {
    const length = joint.position.length();
    if (length > shortestBoneM) {
      const bone = new Mesh(new CapsuleGeometry(radius, length, 6, 16).translate(0, length / 2, 0), boneMaterial);
      bone.quaternion.setFromUnitVectors(new Vector3(0, 1, 0), joint.position.clone().normalize());
      bone.castShadow = true;
      link.add(bone);
    }
    if (joint.jointType !== "fixed") {
      const ball = new Mesh(new SphereGeometry(radius * 1.6, 20, 14), jointMaterial);
      ball.position.copy(joint.position);
      ball.castShadow = true;
      link.add(ball);
    }
  }
}

/** How many joints lie between a link and the root. */
function depthOf(object: Object3D): number {
  let depth = 0;
  for (let above = object.parent; above; above = above.parent) if ("isURDFJoint" in above) depth++;
  return depth;
}

/** The link whose path is drawn: by its name, else the one with the most joints before it. */
function findTip({ links }: URDFRobot): URDFLink {
  const ends = Object.entries(links);
  for (const word of tipWords) {
    const named = ends.find(([name]) =>
      name
        .toLowerCase()
        .split(/[^a-z0-9]+/)
        .includes(word),
    );
    if (named) return named[1];
  }
  return ends.map(([, link]) => link).sort((left, right) => depthOf(right) - depthOf(left))[0]!;
}

/**
 * Reads a URDF.
 *
 * @throws Error when it has no robot in it
 */
export function createUrdfModel(urdf: string): UrdfModel {
  const loader = new URDFLoader();
  let missingMeshes = 0;
  loader.loadMeshCb = (_url, _manager, _material, done) => {
    missingMeshes++;
    done(new Object3D());
  };
  const robot = loader.parse(urdf);
  if (Object.keys(robot.links ?? {}).length === 0) throw new Error("the robot's description has no links");
  const tip = findTip(robot);
  robot.updateMatrixWorld(true);
  const reach = Math.max(
    ...Object.values(robot.links).map((link) => link.getWorldPosition(new Vector3()).length()),
    0.1,
  );
  for (const link of Object.values(robot.links))
    if (!hasShape(link) || missingMeshes > 0) addBones(link, reach * 0.018);
  robot.traverse((part) => {
    part.castShadow = true;
  });
  const setJoints = (names: readonly string[], positions: ArrayLike<number>) => {
    names.forEach((name, index) => {
      const position = positions[index];
      if (Number.isFinite(position)) robot.joints[name]?.setJointValue(position!);
    });
    robot.updateMatrixWorld(true);
  };
  return {
    object: robot,
    missingMeshes,
    setJoints,
    tipAt(names, positions) {
      const shown = Object.entries(robot.joints).map(([name, joint]) => [name, joint.angle] as const);
      setJoints(names, positions);
      const place = tip.getWorldPosition(new Vector3());
      setJoints(
        shown.map(([name]) => name),
        shown.map(([, angle]) => angle),
      );
      return place;
    },
    dispose() {
      robot.traverse((part) => part instanceof Mesh && part.geometry.dispose());
    },
  };
}
